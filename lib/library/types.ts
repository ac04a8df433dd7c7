/** What the library takes and returns. */
import type { Config } from '../config.ts';
import type { Processor, ProcessorPolicy } from '../processor.ts';
import type { DeadLetterReason, InterruptionPolicy, RequestStatus, RunError } from '../types.ts';

/** Where log lines go: fields first, then the message. A pino logger has this shape, and `console` has it too. */
export type LibraryLogger = {
  error(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  debug(fields: object, message?: string): void;
};

/** Settings of accounts, of the HTTP API and of the consumer's own processes: the library has no use for them. */
type OfProcesses =
  | `${string}File`
  | `${string}Id`
  | `jwt${string}`
  | `invite${string}`
  | `login${string}`
  | `registration${string}`
  | `webhook${string}`
  | `cors${string}`
  | `maxKey${string}`
  | `key${string}`
  | 'tokenTtlSeconds'
  | 'bcryptCost'
  | 'hashThreads'
  | 'maxWaitingHashes'
  | 'trustedProxies'
  | 'maxSessions'
  | 'maxSessionPolls'
  | 'exposeErrors'
  | 'port'
  | 'host'
  | 'maxConnections'
  | 'maxUnreadBytes'
  | 'maxUploadBytes'
  | 'apiWorkers'
  | 'processor'
  | 'workers';

/** The settings of the environment in camelCase, with the same ranges and defaults: `MAX_PENDING` is `maxPending`. */
export type LanekeeperSettings = { [K in keyof Config as K extends OfProcesses ? never : K]?: Config[K] };

export type LanekeeperOptions = LanekeeperSettings & {
  /**
   * Where log lines go, from `logLevel` (`info`). Without it, warnings and errors go to stderr as JSON lines, and nothing else is logged.
   * `false`: nothing is logged.
   */
  logger?: LibraryLogger | false;
  /** An environment to read settings from, such as `process.env`. Options win over it. Without it, no environment is read. */
  env?: Record<string, string | undefined>;
};

/** How one request is sent. */
export type EnqueueOptions = {
  /** The Idempotency-Key: 1 to 255 printable ASCII characters, no comma. The same key of the same user is one request. */
  key?: string;
  /** Attempts before the request is dead-lettered: 1 to `maxRequestAttempts`. */
  maxAttempts?: number;
  /** How long one run may take, in ms: 1 to `maxRunTimeoutMs`. */
  timeoutMs?: number;
  /** `dead-letter`: the request must not run twice. */
  onInterruption?: InterruptionPolicy;
  /**
   * The trace that the request belongs to, as the W3C header of this name: the processor gets it as `context.trace`. What is none is ignored,
   * so that the header of a client can be passed on as it is.
   */
  traceparent?: string;
};

/** One of several requests, with its own key and limits. `request` is any JSON value of up to 256 KiB. */
export type RequestToEnqueue = EnqueueOptions & { request: unknown };

/**
 * `position` counts from 1 for the request that runs or is next; 0 when it is settled. It is never too low. `retriedAs`: the request of
 * this key failed and runs again already, with that `seq`. `retryBy`: it needs this call to
 * run again; `enqueue` with a new key.
 */
export type EnqueuedRequest = {
  seq: number;
  status: RequestStatus;
  position: number;
  retriedAs?: number;
  retryBy?: 'retry' | 'enqueue';
};

/** How a call waits. */
export type WaitOptions = {
  /** How long, in ms. 0 by default: the call answers at once. */
  waitMs?: number;
  /** Ends the wait: the call rejects with the signal's reason. */
  signal?: AbortSignal;
};

/** `drain`, the default: what is pending runs first. `cancel`: what has not started is cancelled. `waitMs`: for the queue to close. */
export type DisconnectOptions = WaitOptions & { pending?: 'drain' | 'cancel' };

/** One request, as it is recorded. */
export type RequestState = {
  seq: number;
  status: RequestStatus;
  /** The Idempotency-Key, if it was sent with one. */
  key?: string;
  /** How many requests must run until this one is done, itself included; an upper bound. Absent when it is settled. */
  position?: number;
  /** Runs so far. */
  attempts: number;
  maxAttempts?: number;
  timeoutMs?: number;
  onInterruption?: InterruptionPolicy;
  /** What the processor returned. Set when `done`. */
  result?: unknown;
  /** The same as JSON text, with every digit of its numbers. */
  resultText?: string;
  /** The newest failure: all of it, whether its author marked it for clients or not. */
  error?: RunError;
  /** Set while the request is a dead letter. */
  deadLetter?: { reason: DeadLetterReason; at: Date };
  /** The failed request that this one runs again. */
  retryOf?: number;
  acceptedAt: Date;
  startedAt?: Date;
  /** The next attempt starts no earlier. */
  retryAt?: Date;
  settledAt?: Date;
};

/** Which requests a page has. */
export type PageOptions = {
  status?: RequestStatus;
  /** `next` of the page before. 0 by default. */
  after?: number;
  /** 1 to 100; 50 by default. */
  limit?: number;
};

/** `next`: pass it as `after` to get the next page. Absent when there is none. */
export type RequestPage = { requests: RequestState[]; next?: number };

/** A request that runs again: in its place, or as a new one at the end of the queue, `retryOf` the failed one. */
export type RetriedRequest = { seq: number; status: RequestStatus; position: number; retryOf?: number };

/** A dead letter of any user. `user`: the reference, or the account's user name. `request` is what was sent. */
export type DeadLetterState = RequestState & {
  userId: string;
  user?: string;
  deadLetter: { reason: DeadLetterReason; at: Date };
  request: unknown;
};

/** `user`: a reference, an account's user name or a user id; with `reference:`, `name:` or `id:` in front it is only that. */
export type DeadLetterQuery = { user?: string; reason?: DeadLetterReason; after?: string; limit?: number };

/** `next`: pass it as `after` to get the next page. */
export type DeadLetterPage = { deadLetters: DeadLetterState[]; next?: string };

export type DeadLetterItem = { user: string; seq: number };

/** The listed dead letters, all of one user, or all. `after`: `next` of the answer before. */
export type DeadLetterSelection =
  | { items: DeadLetterItem[] }
  | { user: string; after?: string }
  | { all: true; after?: string };

/** What was decided about one dead letter. `code` and `detail` say why it was refused. */
export type DeadLetterDecision = {
  userId: string;
  seq: number;
  result: 'retried' | 'dropped' | 'refused';
  /** The new request, or the same one where it runs again in its place. */
  retriedAs?: number;
  code?: string;
  detail?: string;
};

/** `results`, in the order of the items, where they were listed. `next`: more are left, so call again with it as `after`. */
export type DeadLetterDecisions = {
  decided: number;
  refused: number;
  /** The refusals by their error codes. */
  refusedBy: Record<string, number>;
  results?: DeadLetterDecision[];
  next?: string;
};

export type ConsumeOptions = Omit<LanekeeperSettings, 'mongodbUrl' | 'rabbitmqUrl' | 'queuePrefix' | 'lanes'> & {
  /**
   * `in-process` (the default): the runs happen in this process. A number: so many processes of their own, which a primary watches, as
   * `lanekeeper consumer` does; the processor must be a module then.
   */
  workers?: 'in-process' | number;
  /** What happens when a run of a processor that is a function fails. A module exports its own. */
  policy?: ProcessorPolicy;
};

/** A function, or a module: a path from the working folder, a file URL or a package. */
export type ConsumedProcessor = Processor | string | URL;

export interface Consumer {
  /** Resolves with the error when the consumer cannot go on. It has stopped then. Never rejects. */
  readonly failed: Promise<unknown>;
  /** The metrics of an in-process consumer as Prometheus text; empty for processes, which serve their own at `metricsPort`. */
  metrics(): Promise<string>;
  /**
   * Takes nothing new, hands the lanes over, and lets runs end within `graceMs`. Then their signals abort. In this process it also waits
   * for runs that ignore their signal: until they end, their users wait.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
