/** What a back end does for its users. A user is a reference: 1 to 128 printable characters. */
import type { LibraryDeps } from '../compose/library.ts';
import { CallerGoneError } from '../errors.ts';
import type { Wait } from '../long-polls.ts';
import { callerFor } from '../references.ts';
import type { QueueAfterDisconnect } from '../requests/disconnect.ts';
import type { QueueState } from '../requests/look-up.ts';
import type { Operations } from '../requests/operations.ts';
import { disconnectionOf, newRequestOf, newRequestsOf, pageOf, seqOf, waitOf } from './input.ts';
import { enqueuedRequest, requestState } from './shapes.ts';
import type {
  DisconnectOptions,
  EnqueuedRequest,
  EnqueueOptions,
  PageOptions,
  RequestPage,
  RequestState,
  RequestToEnqueue,
  RetriedRequest,
  WaitOptions,
} from './types.ts';

/**
 * Every call may also throw `InvalidReferenceError`, `InvalidRequestError` (an argument is out of range) and `StoreUnavailableError`
 * (MongoDB does not answer: the call may or may not have taken effect, and may be repeated).
 */
export interface UserCalls {
  /**
   * Accepts one request of the user: any JSON value of up to 256 KiB. Once it resolves, the request is recorded and cannot get lost. The
   * user needs no account; its queue opens at the first request.
   *
   * @example
   * ```ts
   * const { seq } = await lanekeeper.enqueue('auth0|6571', { amount: 5 }, { key: 'order-17' });
   * ```
   * @throws {TooManyPendingError} {EnqueueRateError} later calls may succeed; {IdempotencyKeyReusedError} {RequestTooLargeError} {BusyError}
   *   {NotRecordedInTimeError}
   */
  enqueue(user: string, request: unknown, options?: EnqueueOptions): Promise<EnqueuedRequest>;
  /**
   * Accepts 1 to 100 requests of the user, of up to 272 KiB together: all or none, to run in this order. Returns what `enqueue` returns, for each of
   * them. Those whose key was used before are not accepted again. It costs about as much as one `enqueue`.
   *
   * @example
   * ```ts
   * await lanekeeper.enqueueAll('auth0|6571', [{ request: 'pick', key: 'o-17-1' }, { request: 'pack', key: 'o-17-2' }]);
   * ```
   * @throws as `enqueue`
   */
  enqueueAll(user: string, requests: RequestToEnqueue[]): Promise<EnqueuedRequest[]>;
  /**
   * The request, once it is settled or blocked, or after `waitMs`: look at its `status`. `waitMs` is 20,000 by default.
   *
   * @throws {RequestNotFoundError} {BusyError}; the reason of `signal`
   */
  result(user: string, seq: number, options?: WaitOptions): Promise<RequestState>;
  /** The request as it is now. @throws {RequestNotFoundError} */
  request(user: string, seq: number): Promise<RequestState>;
  /** A page of the user's requests, by `seq`. */
  requests(user: string, options?: PageOptions): Promise<RequestPage>;
  /** Cancels a request that has never started, or that waits for its next attempt. @throws {RequestNotFoundError} {NotCancellableError} */
  cancel(user: string, seq: number): Promise<RequestState>;
  /**
   * Runs a request again: in its place and at once if it is blocked or waits for its next attempt, at the end of the queue if it failed.
   *
   * @throws {RequestNotFoundError} {NotRetryableError}; for a failed request also what `enqueue` throws
   */
  retry(user: string, seq: number): Promise<RetriedRequest>;
  /** Fails a request that is blocked or waits for its next attempt; those behind it run. @throws {RequestNotFoundError} {NotBlockedError} */
  skip(user: string, seq: number): Promise<RequestState>;
  /** The state of the user's queue. Ages are in ms. */
  queue(user: string): Promise<QueueState>;
  /**
   * Says that the user is gone: its queue closes when it is drained, and opens at the next request. `connected`: a request came at the same
   * time. `draining`: it has not closed within `waitMs`.
   */
  disconnect(user: string, options?: DisconnectOptions): Promise<QueueAfterDisconnect>;
}

const resultWaitMs = 20_000;

export type Waiting = <T>(options: WaitOptions, call: (wait: Wait | undefined) => Promise<T>) => Promise<T>;

/** Makes a call that waits as its options say. */
export const createWaiting =
  ({ longPolls }: Pick<LibraryDeps, 'longPolls'>): Waiting =>
  async (options, call) => {
    const { waitMs, signal } = waitOf(options);
    signal?.throwIfAborted();
    try {
      return await call(waitMs > 0 ? longPolls.waitOf({ keyId: 'library', waitMs, signal }) : undefined);
    } catch (error) {
      throw error instanceof CallerGoneError && signal?.aborted ? signal.reason : error;
    }
  };

export const createUserCalls = (
  operations: Operations,
  { config }: Pick<LibraryDeps, 'config'>,
  waiting: Waiting,
): UserCalls => {
  const lookUp = async (user: string, seq: number, options: WaitOptions): Promise<RequestState> => {
    const queue = await operations.queueByReference(user);
    const { entry, settled } = await waiting(options, (wait) => operations.lookUp(queue, seqOf(seq), wait));
    return requestState(entry, settled);
  };
  const idOf = (user: string, seq: number) => ({ userId: callerFor(user).userId, seq: seqOf(seq) });
  const settledOf = async (user: string): Promise<number> => (await operations.queueByReference(user)).settled;

  return {
    enqueue: async (user, request, options = {}) => {
      const accepted = await operations.enqueue(callerFor(user), newRequestOf(request, options, config));
      return enqueuedRequest(accepted);
    },
    enqueueAll: async (user, requests) => {
      const accepted = await operations.enqueueAll(callerFor(user), newRequestsOf(requests, config));
      return accepted.map(enqueuedRequest);
    },
    result: (user, seq, { waitMs = resultWaitMs, ...options } = {}) => lookUp(user, seq, { ...options, waitMs }),
    request: (user, seq) => lookUp(user, seq, {}),
    requests: async (user, options = {}) => {
      const query = pageOf(options);
      const queue = await operations.queueByReference(user);
      const { entries, searched } = await operations.list(queue, query);
      const requests = entries.map((entry) => requestState(entry, queue.settled));
      const next = entries.length === query.limit ? entries.at(-1)?.seq : searched;
      return { requests, ...(next === undefined ? {} : { next }) };
    },
    cancel: async (user, seq) => requestState(await operations.cancel(idOf(user, seq)), await settledOf(user)),
    retry: async (user, seq) => {
      const retried = await operations.retry(callerFor(user), seqOf(seq));
      if (retried.kind === 'again') return { ...retried.accepted, retryOf: seq };
      const { status, position = 0 } = requestState(retried.entry, await settledOf(user));
      return { seq, status, position };
    },
    skip: async (user, seq) => requestState(await operations.skip(idOf(user, seq)), await settledOf(user)),
    queue: async (user) => operations.describe(await operations.queueByReference(user)),
    disconnect: async (user, options = {}) => {
      const { pending, ...rest } = disconnectionOf(options);
      return waiting(rest, (wait) => operations.disconnectReference(user, { pending, wait }));
    },
  };
};
