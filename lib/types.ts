/** The plain data of the lane protocol, as the stores keep it and the folders exchange it. Terms: docs/glossary.md. */
import type { LoggedAttempt } from './logged-attempt.ts';
import type { Session } from './sessions.ts';
import type { RunTrace } from './traceparent.ts';

export type UserQueueState = 'closed' | 'open' | 'closing';

/** One user's document: how far its requests are accepted and settled, and whether its RabbitMQ queue may exist. */
export type UserQueue = {
  userId: string;
  /** The reference, or the account's user name. Absent until the first login with a version that knows it. */
  user?: string;
  /** Fixed at registration, or at the first request of a user by reference. */
  lane: number;
  sessions: Session[];
  state: UserQueueState;
  /** `seq` of the newest request. */
  accepted: number;
  /** Every `seq <= settled` is settled. The owner flushes it lazily; exact when closed. */
  settled: number;
  /** When the owner last recorded progress. */
  updatedAt: Date;
  /** When the owner last vouched that the user waits for a known reason: a long run, a back-off, a free slot, a person. */
  vouchedAt?: Date;
  /** RabbitMQ refuses this user's queue to its owner: functions wake the lane instead of publishing [R10]. */
  queueRefused?: boolean;
  lent?: Lent;
} & TicketCounters;

/** What the limits of the ticket step need. A user queue that never had a ticket has none. Times are in ms since the epoch. */
export type TicketCounters = {
  /** The bytes of all requests that got a ticket. */
  acceptedBytes?: number;
  /** `acceptedBytes` at the ticket `settled`. Never too high; too low after a tombstone, until the next request is settled. */
  settledBytes?: number;
  /** How many requests are settled, and their bytes, as a refused call last counted. Lower bounds: what is settled stays settled. */
  countedSettled?: number;
  countedBytes?: number;
  /** The next refused call may count after this time. */
  countAgainAt?: number;
  /** When the user will have its whole rate again. */
  rateAt?: number;
};

/** A request that still runs at a worker which has handed its lane over [R11]. */
export type Lent = {
  seq: number;
  /** The fencing token under which it runs. */
  token: number;
  workerId: string;
  /** The worker exits within this time, in ms; absent when it does not stop. */
  forMs?: number;
};

/**
 * The result of the ticket step. It is for the requests from `first` to `seq`, which are the same for one request. `wasOpen`: the user
 * queue was open before. `bytesThrough`: `acceptedBytes` after it.
 */
export type Ticket = {
  first: number;
  seq: number;
  lane: number;
  wasOpen: boolean;
  settled: number;
  bytesThrough: number;
};

/** Why there was no ticket, and what is pending. `countDue`: this caller is the one that may count what was settled. */
export type TicketRefusal = {
  seq?: undefined;
  wasOpen?: undefined;
  refused: 'requests' | 'bytes' | 'rate';
  pending: number;
  pendingBytes: number;
  /** Until the rate allows a request. */
  waitMs: number;
  countDue: boolean;
  settled: number;
  settledBytes: number;
};

/** `abandoned` is a tombstone: the function died before it recorded its ticket, or did not use it. */
export const settledStatuses = ['done', 'failed', 'cancelled', 'abandoned'] as const;
export const claimableStatuses = ['queued', 'processing'] as const;
/** A `blocked` request waits in its place until a person retries or skips it. */
export const pendingStatuses = [...claimableStatuses, 'blocked'] as const;
export const requestStatuses = [...pendingStatuses, ...settledStatuses] as const;
export type SettledStatus = (typeof settledStatuses)[number];
export type RequestStatus = (typeof requestStatuses)[number];

/**
 * Why a run failed: names and messages, no stack. `exposed`: clients may see this name and this message; absent means no. `cause`
 * and `errors` (the parts of an `AggregateError`) are marked for themselves.
 */
export type RunError = { name: string; message: string; exposed?: boolean; cause?: RunError; errors?: RunError[] };

/** What follows when a run was interrupted: the request runs again, or becomes a dead letter, because it must not run twice. */
export const interruptionPolicies = ['rerun', 'dead-letter'] as const;
export type InterruptionPolicy = (typeof interruptionPolicies)[number];

/**
 * Limits that a request sets for its own runs. The processor's policy applies where it sets none. `onInterruption`: the
 * stricter of the two applies.
 */
export type RunLimits = { maxAttempts?: number; timeoutMs?: number; onInterruption?: InterruptionPolicy };

/**
 * Why a request was dead-lettered: it failed its last attempt, it crashed its worker too often, it was interrupted and must not
 * run twice, or an operator ended its run.
 */
export const deadLetterReasons = ['failed', 'crashed', 'interrupted', 'ended'] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];
export type DeadLetter = { reason: DeadLetterReason; at: Date };

/** One request as the ledger records it. */
export type LedgerEntry = {
  userId: string;
  seq: number;
  /** The Idempotency-Key, if the client sent one. */
  key?: string;
  /** The request as JSON text, exactly as the processor gets it. Absent in a tombstone. */
  body?: string;
  /** The bytes of the body, and of all requests up to this one: what `acceptedBytes` was after its ticket. */
  bytes?: number;
  bytesThrough?: number;
  status: RequestStatus;
  /** The fencing token (lease) of the newest claim. */
  token?: number;
  /** Claims so far; 0 before the first run. */
  attempts: number;
  limits?: RunLimits;
  /**
   * The newest attempts that ended without settling the request, oldest first. Absent when there was none. Those that an earlier version
   * ended are missing.
   */
  attemptLog?: LoggedAttempt[];
  /** Attempts that do not count against `maxAttempts`: those before a person's retry, and those that were interrupted or aborted. */
  forgiven?: number;
  /** Consecutive runs that were interrupted, including those of the request that this one runs again. */
  interruptions?: number;
  /** Set while the request is a dead letter: until somebody retries or drops it. */
  deadLetter?: DeadLetter;
  /** The failed request that this one runs again. */
  retryOf?: number;
  /** The trace that its first run continues: a W3C `traceparent`. Absent when the caller sent none, or with an older version. */
  traceparent?: string;
  /** What the processor returned, as JSON text. Set when `done`. */
  result?: string;
  /** The newest failure. When `blocked`, until a retry; when `failed`, final. */
  error?: RunError;
  /** The end of the back-off: the next attempt starts no earlier. */
  retryAt?: Date;
  /** The length of that back-off: a clock that was set back must not make it longer. */
  backOffMs?: number;
  /** When an operator ended its run. It is not claimed again [R14]. */
  endRequestedAt?: Date;
  acceptedAt: Date;
  startedAt?: Date;
  settledAt?: Date;
};

export type EntryId = { userId: string; seq: number };

/** The state of one request without its texts. A head is small, however large the request is. */
export type EntryHead = Pick<
  LedgerEntry,
  'userId' | 'seq' | 'status' | 'token' | 'acceptedAt' | 'startedAt' | 'retryAt' | 'endRequestedAt' | 'deadLetter'
>;

/** Whether the request waits for its next attempt. A claim removes `retryAt`. */
export const isInBackOff = ({ status, retryAt }: Pick<LedgerEntry, 'status' | 'retryAt'>): boolean =>
  status === 'processing' && retryAt !== undefined;

/** What an owner knows about a request: no result, and its body only where it was asked for. */
export type WorkEntry = Pick<
  LedgerEntry,
  | 'userId'
  | 'seq'
  | 'body'
  | 'status'
  | 'token'
  | 'attempts'
  | 'limits'
  | 'forgiven'
  | 'interruptions'
  | 'traceparent'
  | 'retryAt'
  | 'backOffMs'
  | 'endRequestedAt'
  | 'acceptedAt'
  | 'bytesThrough'
  | 'settledAt'
>;

/** A message in a user's RabbitMQ queue. `body` is JSON text, `acceptedAt` is in ms since the epoch. `traceparent` is a header. */
export type RequestMessage = {
  seq: number;
  body: string;
  bytesThrough?: number;
  acceptedAt: number;
  limits?: RunLimits;
  interruptions?: number;
  traceparent?: string;
};

/**
 * What the end of one run means. `retry`: run again in place after `delayMs`; `crashed`: its own process died during the run.
 * `failed` is settled; `blocked` holds its user until a person decides. Both are dead letters.
 */
export type Outcome =
  | { kind: 'done'; result: string }
  | { kind: 'retry'; error: RunError; delayMs: number; crashed?: boolean }
  | DeadLetterOutcome;

export type DeadLetterOutcome = { kind: 'failed' | 'blocked'; error: RunError; reason: DeadLetterReason };

/** One run of a request, as the processor gets it. `body` is JSON text. */
export type Run = EntryId & {
  /** Who the user is to the outside: the reference, or the account's user name. */
  user: string;
  body: string;
  attempt: number;
  fencingToken: number;
  limits: RunLimits;
  forgiven: number;
  interruptions: number;
  /** Absent when the request belongs to no trace. */
  trace?: RunTrace;
  signal: AbortSignal;
};

export const isSettled = (entry: Pick<LedgerEntry, 'status'>): boolean =>
  (settledStatuses as readonly string[]).includes(entry.status);
