import type { Clock } from '../ports.ts';

/** Why a run's signal aborted at its deadline, and what its attempt failed of. */
export class RunTimeoutError extends Error {
  constructor(timeoutMs: number) {
    super(`The run took longer than ${timeoutMs} ms`);
    this.name = 'RunTimeoutError';
  }
}

export type Deadline = {
  /** Aborts as `parent` does, and at the deadline. */
  signal: AbortSignal;
  /** @throws {RunTimeoutError} once the deadline has come. */
  throwIfPassed(): void;
  cancel(): void;
};

/** @param timeoutMs 0: none, and the signal is the parent itself. */
export const startDeadline = (parent: AbortSignal, timeoutMs: number, clock: Pick<Clock, 'after'>): Deadline => {
  if (timeoutMs === 0) return { signal: parent, throwIfPassed: () => {}, cancel: () => {} };
  const controller = new AbortController();
  let passed: RunTimeoutError | undefined;
  const follow = () => controller.abort(parent.reason);
  const cancelTimer = clock.after(timeoutMs, () => {
    passed = new RunTimeoutError(timeoutMs);
    controller.abort(passed);
  });
  // By hand: AbortSignal.any would keep every run's signal for as long as the lane's.
  parent.addEventListener('abort', follow, { once: true });
  if (parent.aborted) follow();
  return {
    signal: controller.signal,
    throwIfPassed: () => {
      if (passed) throw passed;
    },
    cancel: () => {
      cancelTimer();
      parent.removeEventListener('abort', follow);
    },
  };
};
