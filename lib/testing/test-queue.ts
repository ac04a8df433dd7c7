/** A queue in memory for the tests of a processor: the production worker decides, on in-memory servers and in fake time. */
import { newRequestOf } from '../library/input.ts';
import type { LaneObserver } from '../ports.ts';
import type { Processor, ProcessorLogger, ProcessorPolicy } from '../processor.ts';
import { callerFor, userIdOf } from '../references.ts';
import { type Accepted, acceptRequest } from '../requests/accept.ts';
import { cancelRequest } from '../requests/cancel.ts';
import { dropDeadLetter } from '../requests/dead-letters.ts';
import { RequestNotFoundError } from '../requests/errors.ts';
import { retry, skipRequest } from '../requests/retry.ts';
import type { LedgerEntry, RunLimits } from '../types.ts';
import { isSettled } from '../types.ts';
import { FakeClock } from './fake-clock.ts';
import { Pace } from './pace.ts';
import { defaultConfig } from './policy-in-test.ts';
import { createTestLogger } from './test-logger.ts';
import { requestOf, type TestDeadLetter, type TestRequest, type TestRun } from './test-request.ts';
import { startTestWorker, type TestWorker } from './test-worker.ts';

export type TestQueueOptions = {
  /** The `policy` that the processor's module exports. What it leaves out has the defaults of the environment. */
  policy?: ProcessorPolicy;
  /** How many users run at a time, as `CONCURRENCY`. Default: 64. */
  concurrency?: number;
  /** The logger of all runs. Default: a silent one. */
  logger?: ProcessorLogger;
  /** When the fake time begins. Default: now. */
  startAt?: Date;
};

/** `key` is the Idempotency-Key, `traceparent` the trace of the caller. The limits are the request's own. */
export type TestEnqueueOptions = RunLimits & { key?: string; traceparent?: string };

type RunStarted = Parameters<LaneObserver['runStarted']>[0];
type RunEnded = Parameters<LaneObserver['runEnded']>[0];

/**
 * A queue for each user, in memory: the same order, retries, back-offs, deadlines, dead letters and Idempotency-Keys as in production,
 * because the same code decides. Time stands still except for `advance`, and for the pauses that `result` waits for. What a run
 * itself waits for (a server, a timer of its own) takes real time.
 */
export class TestQueue {
  /** All calls of the processor, in the order of their start. */
  readonly runs: TestRun[] = [];
  readonly #clock: FakeClock;
  readonly #worker: TestWorker;
  readonly #pace: Pace;
  readonly #users = new Map<string, string>();

  /** @throws {PolicyError} when the policy is out of range. */
  constructor(processor: Processor, options: TestQueueOptions = {}) {
    const { policy, concurrency = 64, logger = createTestLogger(), startAt = new Date() } = options;
    this.#clock = new FakeClock(startAt);
    const observer = {
      runStarted: (event: RunStarted) => this.#noteStart(event),
      runEnded: (event: RunEnded) => this.#noteEnd(event),
    };
    this.#worker = startTestWorker(processor, { policy, concurrency, logger, clock: this.#clock, observer });
    this.#pace = new Pace(this.#clock, this.#worker);
  }

  /** The fake time. */
  now(): Date {
    return this.#clock.now();
  }

  /**
   * Accepts a request, which starts as soon as the user's earlier ones are settled.
   *
   * @param user the reference of a user: 1 to 128 printable characters.
   * @throws as in production: {InvalidReferenceError}; {InvalidRequestError} for what is no JSON value, is nested too deep, or has an
   * option out of range; {RequestTooLargeError}; {IdempotencyKeyReusedError} when the key belongs to another request;
   * {TooManyPendingError}.
   */
  async enqueue(user: string, request: unknown, options: TestEnqueueOptions = {}): Promise<Accepted> {
    const accepted = newRequestOf(request, options, defaultConfig);
    this.#userId(user);
    return acceptRequest({ ...callerFor(user), ...accepted }, this.#worker.deps);
  }

  /**
   * Waits until the request is settled or blocked, and returns it. Lets the back-offs of its user pass, without waiting for them. A
   * run that ends only when its deadline aborts it needs `advance` beside this call.
   *
   * @throws {RequestNotFoundError} for a request that does not exist.
   */
  async result(user: string, seq: number): Promise<TestRequest> {
    const isHalted = () => {
      const { status } = this.#entry(user, seq);
      return status === 'blocked' || isSettled({ status });
    };
    await this.#pace.untilDone(this.#userId(user), isHalted);
    return this.request(user, seq);
  }

  /** The request as it is now. @throws {RequestNotFoundError} */
  request(user: string, seq: number): TestRequest {
    return requestOf(this.#entry(user, seq));
  }

  /** Lets `ms` of fake time pass: back-offs and deadlines end, and what is due starts. */
  async advance(ms: number): Promise<void> {
    await this.#pace.advance(ms);
  }

  /** Waits for the runs in progress, and for all that may start now. Back-offs do not end. */
  async idle(): Promise<void> {
    await this.#pace.untilIdle();
  }

  /**
   * Takes all users away from the worker, as when it is cut off from RabbitMQ. The signals of its runs abort. A run that then
   * fails leaves no outcome: its request runs again with the next `attempt` and a higher `fencingToken`. What it does with
   * `onInterruption: 'dead-letter'` is as in production.
   */
  async interrupt(): Promise<void> {
    this.#worker.interrupt();
    await this.#pace.advance(0);
  }

  /** The dead letters of all users or of one, the oldest first. */
  async deadLetters(user?: string): Promise<TestDeadLetter[]> {
    const userId = user === undefined ? undefined : this.#userId(user);
    const entries = await this.#worker.deps.ledger.deadLetters({ userId, limit: Infinity });
    return entries.flatMap((entry) =>
      entry.deadLetter
        ? { ...requestOf(entry), user: this.#users.get(entry.userId) ?? entry.userId, deadLetter: entry.deadLetter }
        : [],
    );
  }

  /**
   * Runs a request again: a blocked one, or one in its back-off, in its place and now; a failed one as a new request. Returns its `seq`.
   *
   * @throws {RequestNotFoundError}; {NotRetryableError}
   */
  async retry(user: string, seq: number): Promise<number> {
    const retried = await retry({ ...callerFor(user), seq }, this.#worker.deps);
    return retried.kind === 'again' ? retried.accepted.seq : seq;
  }

  /** Fails a request that is blocked or in its back-off, so that the next one runs. @throws {NotBlockedError} */
  async skip(user: string, seq: number): Promise<void> {
    await skipRequest({ userId: this.#userId(user), seq }, this.#worker.deps);
  }

  /** Cancels a request that has not started or is in its back-off. @throws {NotCancellableError} */
  async cancel(user: string, seq: number): Promise<void> {
    await cancelRequest({ userId: this.#userId(user), seq }, this.#worker.deps);
  }

  /** Takes a dead letter off the list. @throws {NotDeadLetterError} */
  async drop(user: string, seq: number): Promise<void> {
    await dropDeadLetter.decide({ userId: this.#userId(user), seq }, this.#worker.deps);
  }

  #userId(user: string): string {
    const userId = userIdOf(user);
    this.#users.set(userId, user);
    return userId;
  }

  #entry(user: string, seq: number): LedgerEntry {
    const entry = this.#worker.database.entries.get(`${this.#userId(user)}:${seq}`);
    if (!entry) throw new RequestNotFoundError(seq);
    return entry;
  }

  #noteStart({ userId, seq, attempt, fencingToken, at }: RunStarted): void {
    this.runs.push({ user: this.#users.get(userId) ?? userId, seq, attempt, fencingToken, startedAt: at });
  }

  #noteEnd({ userId, seq, attempt, outcome, at }: RunEnded): void {
    const user = this.#users.get(userId) ?? userId;
    const run = this.runs.find((one) => one.user === user && one.seq === seq && one.attempt === attempt);
    if (run) Object.assign(run, { endedAt: at, outcome });
  }
}

/** A queue in memory that runs this processor. It needs no server, and nothing has to be closed. */
export const createTestQueue = (processor: Processor, options?: TestQueueOptions): TestQueue =>
  new TestQueue(processor, options);
