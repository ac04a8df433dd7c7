/**
 * The public entry of Lanekeeper for people who write a processor: `import type { Processor } from 'lanekeeper'`.
 * It imports nothing, so that the published package has no dependencies.
 */

/** One level of the processor's logger: `logger.info({ orderId }, 'order sent')` or `logger.info('order sent')`. */
export type LogMethod = {
  (fields: object, message?: string): void;
  (message: string): void;
};

/**
 * Writes JSON lines to the worker's log, each with the `userId`, `user`, `seq` and `attempt` of the run. `LOG_LEVEL` decides what is
 * written. Never log a request, a token or a password.
 *
 * A field with a name that the line has already, such as `attempt` or `time`, is written inside the field `processor`, so that no
 * line has a key twice. If it says the same, it is left out.
 *
 * `console` and a pino logger have this type too: a test may pass either. `fatal` and `child` are optional only for their sake; in
 * a worker they are always there.
 */
export type ProcessorLogger = {
  fatal?: LogMethod;
  error: LogMethod;
  warn: LogMethod;
  info: LogMethod;
  debug: LogMethod;
  trace: LogMethod;
  /** A logger that adds these fields to each line. */
  child?(fields: Record<string, unknown>): ProcessorLogger;
};

/** What a processor knows about its run. */
export type ProcessorContext = {
  /** The id of the user in Lanekeeper. No two users have the same. */
  userId: string;
  /**
   * Who the user is to you: the reference that your back end enqueues for, or the user name of an account. An account and a reference
   * may have the same name and are two users: `userId` tells them apart.
   */
  user: string;
  /**
   * The place of the request in its user's order, from 1. `userId` and `seq` are the same in every attempt: together they are the
   * idempotency key of the request.
   *
   * @example A unique key makes a repeated run harmless.
   * ```ts
   * await db.payments.insertOne({ _id: `${userId}:${seq}`, amount }).catch(ignoreDuplicateKey);
   * ```
   */
  seq: number;
  /** 1 for the first run. It grows after a failure, and when the worker of an earlier run died. */
  attempt: number;
  /**
   * A number that never falls from one run of a user to the next, and rises whenever another worker acquires the user's lane. A
   * worker that was cut off, and is believed dead, may still be inside a run. To keep it from writing, store the highest token that
   * was used for the user, and refuse writes with a lower one.
   *
   * @example
   * ```ts
   * const { matchedCount } = await db.accounts.updateOne(
   *   { _id: userId, fencingToken: { $lte: fencingToken } },
   *   { $set: { balance, fencingToken } },
   * );
   * if (matchedCount === 0) throw new Error('a later worker has written already');
   * ```
   */
  fencingToken: number;
  /**
   * Aborts when the run should end now, because its outcome will not be used:
   *
   * - The worker has lost the user's lane, or must stop and its `GRACE_MS` are over. The request will run again, and the aborted
   *   attempt does not count.
   * - The run is past its timeout. The attempt has failed, and `signal.reason` is an error with the name `RunTimeoutError`.
   * - An operator has ended the run. Unless the processor succeeds, the request fails without another attempt, and `signal.reason` is
   *   an error with the name `RunEndedError`.
   *
   * Each run has a signal of its own. The user's next run on this worker waits until the processor has returned or thrown, so pass
   * the signal on, or check it between two steps.
   *
   * @example
   * ```ts
   * const response = await fetch(url, { method: 'POST', body, signal });
   * ```
   */
  signal: AbortSignal;
  logger: ProcessorLogger;
  /**
   * The trace of this run, as W3C trace context; absent when the request belongs to none. Pass `traceparent` on as a header of the same
   * name. The first run continues the trace of the call that enqueued the request. Every other run is a new trace, `linkedTo` that one.
   *
   * @example
   * ```ts
   * await fetch(url, { method: 'POST', body, signal, headers: trace && { traceparent: trace.traceparent } });
   * ```
   */
  trace?: { traceparent: string; linkedTo?: string };
};

/**
 * Your code: it processes one request. A user's requests run one at a time, in the order of `seq`, at least once.
 *
 * **Result.** What the processor returns is recorded as JSON, up to 256 KiB, and shown to the client; `undefined` is recorded as
 * `null`. A result that is not JSON, or is too large, fails the request without another attempt: the work has been done.
 *
 * **Failure.** What it throws fails the attempt. The request runs again after a back-off, in its place: the user's later requests
 * wait, other users do not. An error with a `retryAfterMs` (`RetryAfterError`) asks for a longer pause. After the last attempt
 * (`maxAttempts`), or at once after an `UnrecoverableError`, the request becomes a dead letter: it is `failed` and the next one
 * runs, or it is `blocked` and holds its user until a person decides (`onFailure`). The client sees the message of an
 * `UnrecoverableError`, a `RetryAfterError`, and an error with `expose: true`. Of any other error it sees the class: messages of
 * libraries may hold paths and passwords. Operators see everything.
 *
 * **Crash.** A request whose runs end their process again and again runs in a process of its own. After `MAX_CRASHES` crashes in a
 * row it becomes a dead letter.
 *
 * **Repetition.** A run is repeated when its worker dies before the outcome is recorded, so make its effects idempotent by `userId`
 * and `seq`, and guard them by `fencingToken`. With `onInterruption: 'dead-letter'` the request becomes a dead letter instead.
 *
 * **Waiting for itself.** A run must not wait for the result of a later request of its own user: that request waits for this run.
 *
 * The processor is the default export of a module. The module may also export a `policy`.
 *
 * @example
 * ```ts
 * import { type Processor, type ProcessorPolicy, UnrecoverableError } from 'lanekeeper';
 *
 * export const policy: ProcessorPolicy = { maxAttempts: 10, timeoutMs: 30_000 };
 *
 * const processor: Processor = async (request, { userId, seq, signal }) => {
 *   const { amount } = request as { amount?: number };
 *   if (!amount) throw new UnrecoverableError('amount is missing');
 *   return await charge({ id: `${userId}:${seq}`, amount, signal });
 * };
 * export default processor;
 * ```
 */
export type Processor = (request: unknown, context: ProcessorContext) => unknown | Promise<unknown>;

/**
 * What happens when a run fails. A processor's module may export it as `policy`; what it leaves out comes from the environment. A
 * request's own `maxAttempts` and `timeoutMs` win over both, and it may ask for `onInterruption: 'dead-letter'`.
 *
 * @example
 * ```ts
 * export const policy: ProcessorPolicy = { maxAttempts: 3, retryBaseMs: 1_000, onFailure: 'block' };
 * ```
 */
export type ProcessorPolicy = {
  /** Attempts of a request before it becomes a dead letter: 1 to 1,000. Environment: `MAX_ATTEMPTS`. */
  maxAttempts?: number;
  /** The shortest pause before the next attempt, in ms: 1 to 3,600,000. Environment: `RETRY_BASE_MS`. */
  retryBaseMs?: number;
  /**
   * The longest pause before the next attempt, in ms, unless the run asked for a longer one: `retryBaseMs` to 86,400,000.
   * Environment: `RETRY_MAX_MS`.
   */
  retryMaxMs?: number;
  /** The longest pause that a run may ask for by `retryAfterMs`, in ms: 1 to 2,592,000,000. Environment: `RETRY_AFTER_MAX_MS`. */
  retryAfterMaxMs?: number;
  /**
   * After the last attempt, `skip` fails the request and runs the user's next one; `block` holds the user until a person retries
   * or skips the request. Environment: `FAILURE_POLICY`.
   */
  onFailure?: 'skip' | 'block';
  /**
   * How long one attempt may take, in ms: up to 86,400,000; 0 means without limit. Then the run's signal aborts, and the attempt has
   * failed. Environment: `RUN_TIMEOUT_MS`.
   */
  timeoutMs?: number;
  /**
   * After a run was interrupted, because its worker died or had to stop, or lost the user's lane: `rerun` runs the request again;
   * `dead-letter` makes it a dead letter, for work that must not be done twice. Environment: `INTERRUPTION_POLICY`.
   */
  onInterruption?: 'rerun' | 'dead-letter';
};

/**
 * Throw it when another attempt cannot help: the request becomes a dead letter at once. Lanekeeper recognizes it by its `name`, so
 * an error of your own with the name `UnrecoverableError` works too. Clients see its message, unless it has `expose: false`.
 *
 * @example
 * ```ts
 * if (response.status === 404) throw new UnrecoverableError(`order ${id} does not exist`);
 * ```
 */
export class UnrecoverableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UnrecoverableError';
  }
}

export type RetryAfterOptions = {
  /**
   * The shortest pause before the next attempt, in ms. It lengthens the back-off, also beyond `retryMaxMs`, up to `retryAfterMaxMs`:
   * by default one day. What it asks for beyond that is cut off, and the recorded error says so.
   */
  retryAfterMs: number;
  cause?: unknown;
};

/**
 * Throw it when you know how long to wait: the attempt has failed as after any other error, and the next one starts after at least
 * `retryAfterMs`. Lanekeeper recognizes the property, so any error of your own with a number in `retryAfterMs` works too.
 * Clients see the message of a `RetryAfterError`, unless it has `expose: false`.
 *
 * @example
 * ```ts
 * if (response.status === 429) {
 *   const seconds = Number(response.headers.get('retry-after') ?? 1);
 *   throw new RetryAfterError('the rate limit is reached', { retryAfterMs: seconds * 1_000 });
 * }
 * ```
 */
export class RetryAfterError extends Error {
  readonly retryAfterMs: number;
  constructor(message: string, { retryAfterMs, cause }: RetryAfterOptions) {
    super(message, { cause });
    this.name = 'RetryAfterError';
    this.retryAfterMs = retryAfterMs;
  }
}
