/** Watches one run in this process: when its slot goes to others, and when it counts as unresponsive. */
import type { Outcome, Run } from '../types.ts';
import type { WorkerContext } from './context.ts';
import type { RunUnderWay } from './run-under-way.ts';
import type { Slot } from './slots.ts';

/** A run that obeys its signal ends within this time, and keeps its slot so that others do not start beside it. */
const windDownMs = 250;

type WatchOptions = {
  run: RunUnderWay;
  slot: Slot;
  /** 0: no timeout. */
  timeoutMs: number;
};

/**
 * A run that goes on after its signal aborted cannot be ended, and its user must wait for it. It gives its slot to others a moment
 * later, and is reported once it has gone on for `graceMs`. When an operator ended it, only the end of this process ends it: the
 * worker must retire.
 */
class RunWatch {
  readonly #options: WatchOptions;
  readonly #context: WorkerContext;
  readonly #timers: (() => void)[] = [];
  readonly #onAbort = () => this.#abortedNow();
  #overdue = false;

  constructor(options: WatchOptions, context: WorkerContext) {
    const { timeoutMs, run } = options;
    this.#options = options;
    this.#context = context;
    run.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs > 0) this.#after(timeoutMs, () => this.#passDeadline());
  }

  /** The run has ended. */
  end(): void {
    const { run } = this.#options;
    run.signal.removeEventListener('abort', this.#onAbort);
    for (const cancel of this.#timers) cancel();
    this.#context.unresponsive.delete(run);
    if (!this.#overdue) this.#context.slots.here.noteRun(run.userId, true);
  }

  #after(ms: number, callback: () => void): void {
    this.#timers.push(this.#context.deps.clock.after(ms, callback));
  }

  #passDeadline(): void {
    this.#overdue = true;
    this.#context.slots.here.noteRun(this.#options.run.userId, false);
    this.#abortedNow();
  }

  #abortedNow(): void {
    const { graceMs } = this.#context.deps.config;
    this.#after(Math.min(windDownMs, graceMs), () => this.#options.slot.release());
    // One that ignored its deadline for as long ignores an operator too.
    if (this.#context.unresponsive.has(this.#options.run)) this.#ignoresSignal();
    else this.#after(graceMs, () => this.#ignoresSignal());
  }

  #ignoresSignal(): void {
    const { run, timeoutMs } = this.#options;
    const { deps, unresponsive, retirement } = this.#context;
    if (!unresponsive.has(run)) {
      unresponsive.add(run);
      const { userId, seq, attempt } = run;
      deps.observer.runUnresponsive({ userId, seq, attempt, timeoutMs, at: deps.clock.now() });
    }
    if (run.isEnded) retirement.resolve();
  }
}

/**
 * Runs a request that holds this slot. A run in another process is not watched here: it ends by its own timeout. Not an async
 * function: that would keep the body in memory until the run ends.
 */
export const runWatched = (run: Run, running: RunUnderWay, slot: Slot, context: WorkerContext): Promise<Outcome> => {
  const { planRun, runRequest } = context.deps;
  const plan = planRun({ ...run, interrupted: false });
  if (plan.kind === 'dead-letter' || plan.timeoutMs === undefined) return runRequest(run);
  const watch = new RunWatch({ run: running, slot, timeoutMs: plan.timeoutMs }, context);
  return runRequest(run).finally(() => watch.end());
};
