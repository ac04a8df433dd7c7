/** What a client says and gets. The shapes of the API come from its description. */
import type { components } from './api.ts';

type Schemas = components['schemas'];

/** A request as the ledger has it. Fields that do not apply are absent. */
export type RequestState<Result = unknown> = Omit<Schemas['Request'], 'result'> & {
  /** What the processor returned, once the request is `done`. */
  result?: Result;
};

export type RequestStatus = Schemas['RequestStatus'];

/** The answer to an enqueue: the request is recorded and will not be lost. */
export type Accepted = Schemas['Accepted'];

/** How far the queue has come. Of an event without `lane`. */
export type Queue = Schemas['Queue'];
export type QueueProgress = Pick<Queue, 'accepted' | 'settled' | 'pending' | 'state'>;

/** Why a run failed, as far as clients may see it. */
export type RunError = Schemas['RunError'];

/** `queued-again`: after an interruption, or a retry. `settled`: done, failed or cancelled. States in between may be left out. */
export type StateEventType = 'accepted' | 'started' | 'attempt-failed' | 'blocked' | 'queued-again' | 'settled';

/** What happened to a request, with its whole state after it. `id`: where to go on after it, as `after`. */
export type StateEvent<Result = unknown> = { type: StateEventType; id: string; request: RequestState<Result> };

export type QueueEvent = { type: 'queue'; queue: QueueProgress };

export type LaneEvent = StateEvent | QueueEvent;

/** Of one request. `position`: it still waits, and fewer requests are before it. */
export type RequestEvent<Result = unknown> = { type: StateEventType | 'position'; request: RequestState<Result> };

export type CallOptions = { signal?: AbortSignal | undefined };

export type Limits = {
  /** Overrides the processor's number of attempts for this request. */
  maxAttempts?: number;
  /** Overrides the processor's timeout of one run for this request. */
  timeoutMs?: number;
  /** `dead-letter`: the request never runs again after an interruption. */
  onInterruption?: 'rerun' | 'dead-letter';
};

export type EnqueueOptions = CallOptions & Limits & { key?: string | undefined };
/** `keys`: one for each request. */
export type EnqueueManyOptions = CallOptions & Limits & { keys?: readonly string[] };

export type DisconnectOptions = CallOptions & {
  /** `drain` (the default): what waits still runs. `cancel`: it is cancelled. */
  pending?: 'drain' | 'cancel';
  /** How long to wait for the end of the queue: up to 20 s. Default 0. */
  waitSeconds?: number;
};

export type PageOptions = CallOptions & { status?: RequestStatus; after?: number; limit?: number };

/** `next`: the `after` of the next page, if more may follow. */
export type RequestPage = { requests: RequestState[]; next?: number };

export interface LaneRequest<Result = unknown> {
  /** The place of the request in its user's order. */
  readonly seq: number;
  /** Only of a request that this client has enqueued. */
  readonly accepted?: Accepted;
  /** The request as it is now. */
  state(options?: CallOptions): Promise<RequestState<Result>>;
  /** First the request as it is now, then what happens to it. Ends after `settled`. */
  events(options?: CallOptions): AsyncIterable<RequestEvent<Result>>;
  /**
   * Waits until the request is settled, however long that takes, and through lost connections.
   *
   * @throws {RequestFailedError} with the ledger's error.
   * @throws {RequestCancelledError}
   */
  result(options?: CallOptions): Promise<Result>;
  /** @throws {ApiError} `not-cancellable`: it runs, or is settled. */
  cancel(options?: CallOptions): Promise<RequestState<Result>>;
}

export interface LanekeeperClient {
  /**
   * Accepts a request at the end of the queue. Without a `key` the client makes one, so that it can repeat the call safely.
   *
   * @throws {ApiError} when the API refuses it.
   * @throws {UnreachableError} when no answer came in time: then it may have been accepted. Call again with the same `key`.
   */
  enqueue<Result = unknown>(request: unknown, options?: EnqueueOptions): Promise<LaneRequest<Result>>;
  /** Up to 100 requests in one call, all or none, in this order. */
  enqueueMany<Result = unknown>(
    requests: readonly unknown[],
    options?: EnqueueManyOptions,
  ): Promise<LaneRequest<Result>[]>;
  /** A request by its `seq`, such as one from before a reload. */
  request<Result = unknown>(seq: number): LaneRequest<Result>;
  /** Cancels all waiting requests, newest first, and returns how many. A running request goes on. */
  cancelAll(options?: CallOptions): Promise<number>;
  /** A page of requests by `seq`. */
  requests(options?: PageOptions): Promise<RequestPage>;
  queue(options?: CallOptions): Promise<Queue>;
  /**
   * What happens to all requests of the user, through lost connections: each `settled` once, other states at most once. Without
   * `after` it begins with everything that is not settled; with the `id` of an event it goes on behind that, and `'0'` replays all.
   */
  events(options?: CallOptions & { after?: string | undefined }): AsyncIterable<LaneEvent>;
  /** The queue whenever it changes, beginning with how it is now. */
  queueEvents(options?: CallOptions): AsyncIterable<QueueProgress>;
  /** Ends the session and closes the client. With the last session the queue is drained and deleted. */
  disconnect(options?: DisconnectOptions): Promise<{ queue: 'connected' | 'draining' | 'closed' }>;
  /** Ends what this client still waits for, and leaves the session as it is. */
  close(): void;
}
