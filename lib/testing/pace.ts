/** Moves the fake time of a test queue on, and lets everything happen that needs no time. */
import type { LedgerEntry } from '../types.ts';
import { isInBackOff, pendingStatuses } from '../types.ts';
import type { FakeClock } from './fake-clock.ts';
import type { TestWorker } from './test-worker.ts';

/** As they are before a test framework replaces them by fakes. */
const { setImmediate } = globalThis;
const { nextTick } = process;

/** The in-memory servers answer without a pause, so all that a worker does at one moment is microtasks. */
const runMicrotasks = (): Promise<void> => new Promise((resolve) => nextTick(resolve));
/** Lets a run go on that waits for something real. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Of a long time in which nothing is due, the periodic tasks of the worker take part in the end only: else a day takes seconds. */
const longestStepMs = 10_000;

/** A worker needs less than a second to acquire its lane again. */
const longestStandstillMs = 120_000;

const isPending = ({ status }: LedgerEntry): boolean => (pendingStatuses as readonly string[]).includes(status);

export class Pace {
  readonly #clock: FakeClock;
  readonly #worker: TestWorker;

  constructor(clock: FakeClock, worker: TestWorker) {
    this.#clock = clock;
    this.#worker = worker;
  }

  /** Lets `ms` pass. Runs in progress go on meanwhile, and their deadlines may pass. */
  async advance(ms: number): Promise<void> {
    const until = this.#clock.monotonicMs() + ms;
    do {
      await this.#settle();
      this.#skip(until);
    } while (this.#clock.fireNext(until));
    this.#clock.moveTo(until);
    await this.#settle();
  }

  /** Waits for the end of all runs and for the start of all that may start, in no more time than a worker needs. */
  async untilIdle(): Promise<void> {
    const isWaiting = (entry: LedgerEntry) => entry.status === 'blocked' || this.#isInBackOff(entry);
    await this.#passUntil(
      () => this.#worker.inProgress.count === 0 && this.#heads().every(isWaiting),
      () => false,
    );
  }

  /**
   * Lets as much time pass as the user's requests need, until `done`.
   *
   * @throws {Error} when they wait for a person.
   */
  async untilDone(userId: string, done: () => boolean): Promise<void> {
    const isInBackOff = () => {
      const head = this.#heads().find((one) => one.userId === userId);
      if (head?.status === 'blocked') {
        throw new Error(
          `Request ${head.seq} is blocked: the user's later requests wait until it is retried or skipped`,
        );
      }
      return head !== undefined && this.#isInBackOff(head);
    };
    await this.#passUntil(done, isInBackOff);
  }

  /** Waits for runs in progress, whose time is real; without one, or while `mayPass`, moves on to the next timer. */
  async #passUntil(done: () => boolean, mayPass: () => boolean): Promise<void> {
    let progressAt = this.#clock.monotonicMs();
    for (;;) {
      await this.#settle();
      if (done()) return;
      const passes = mayPass();
      if (this.#worker.inProgress.count > 0 && !passes) {
        await this.#worker.inProgress.ended;
        progressAt = this.#clock.monotonicMs();
        continue;
      }
      this.#skip();
      this.#clock.fireNext();
      if (passes) progressAt = this.#clock.monotonicMs();
      if (this.#clock.monotonicMs() - progressAt > longestStandstillMs) {
        throw new Error(`Nothing happened for ${longestStandstillMs} ms of fake time`);
      }
    }
  }

  /** Lets everything happen that needs no time. */
  async #settle(): Promise<void> {
    await runMicrotasks();
    if (this.#worker.inProgress.count > 0) await turn();
  }

  /** Moves on to shortly before the next back-off ends, or `until`, if no run has a deadline meanwhile. */
  #skip(until = Infinity): void {
    if (this.#worker.inProgress.count > 0) return;
    const nowMs = this.#clock.monotonicMs();
    const waits = this.#heads().map((head) => this.#backOffLeftMs(head));
    if (waits.includes(0)) return;
    const due = Math.min(until, ...waits.flatMap((ms) => (ms === undefined ? [] : nowMs + ms)));
    if (due < Infinity) this.#clock.moveTo(due - longestStepMs);
  }

  /** The next request of every user that has one. */
  #heads(): LedgerEntry[] {
    const heads = new Map<string, LedgerEntry>();
    for (const entry of this.#worker.database.entries.values()) {
      const { userId, seq } = entry;
      if (isPending(entry) && seq < (heads.get(userId)?.seq ?? Infinity)) heads.set(userId, entry);
    }
    return [...heads.values()];
  }

  #isInBackOff(entry: LedgerEntry): boolean {
    return (this.#backOffLeftMs(entry) ?? 0) > 0;
  }

  /** 0 for a request that may run now; `undefined` for one that waits for a person. */
  #backOffLeftMs(entry: LedgerEntry): number | undefined {
    if (entry.status === 'blocked') return undefined;
    if (!isInBackOff(entry) || !entry.retryAt) return 0;
    return Math.max(0, entry.retryAt.getTime() - this.#clock.now().getTime());
  }
}
