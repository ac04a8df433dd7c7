/** Watches one run in this process: when its slot goes to others, and when it counts as unresponsive. */
import type { EntryId, Outcome, Run } from '../types.ts';
import type { WorkerContext } from './context.ts';
import type { Slot } from './slots.ts';

/** A run that obeys its signal ends within this time, and keeps its slot so that others do not start beside it. */
const windDownMs = 250;

export type WatchedRun = EntryId & { attempt: number };

type WatchOptions = {
  run: WatchedRun;
  slot: Slot;
  /** 0: no timeout. */
  timeoutMs: number;
  /** The lane's signal: it aborts the run. */
  signal: AbortSignal;
};

/**
 * A run that goes on after its signal aborted cannot be ended, and its user must wait for it. It gives its slot to others a moment
 * later, and is reported once it has gone on for `graceMs`.
 */
class RunWatch {
  readonly #options: WatchOptions;
  readonly #context: WorkerContext;
  readonly #timers: (() => void)[] = [];
  readonly #onAbort = () => this.#abortedNow();
  #overdue = false;

  constructor(options: WatchOptions, context: WorkerContext) {
    const { timeoutMs, signal } = options;
    this.#options = options;
    this.#context = context;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs > 0) this.#after(timeoutMs, () => this.#passDeadline());
  }

  /** The run has ended. */
  end(): void {
    const { run, signal } = this.#options;
    signal.removeEventListener('abort', this.#onAbort);
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
    this.#after(graceMs, () => this.#reportUnresponsive());
  }

  #reportUnresponsive(): void {
    const { run, timeoutMs } = this.#options;
    const { deps, unresponsive } = this.#context;
    if (unresponsive.has(run)) return;
    unresponsive.add(run);
    deps.observer.runUnresponsive({ ...run, timeoutMs, at: deps.clock.now() });
  }
}

/**
 * Runs a request that holds this slot. An isolated run is not watched here: it ends by its own timeout. Not an async function: that
 * would keep the body in memory until the run ends.
 */
export const runWatched = (run: Run, slot: Slot, context: WorkerContext): Promise<Outcome> => {
  const { planRun, runRequest } = context.deps;
  const { userId, seq, attempt, signal } = run;
  const plan = planRun({ ...run, interrupted: false });
  if (plan.kind !== 'here') return runRequest(run);
  const { timeoutMs } = plan;
  const watch = new RunWatch({ run: { userId, seq, attempt }, slot, timeoutMs, signal }, context);
  return runRequest(run).finally(() => watch.end());
};
