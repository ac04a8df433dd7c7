import type { Clock } from '../ports.ts';

/** The reason of a run's signal once the run is past its deadline, and the error of that attempt. */
export class RunTimeoutError extends Error {
  /** Clients may see its message. */
  readonly expose = true;
  constructor(timeoutMs: number) {
    super(`The run took longer than ${timeoutMs} ms`);
    this.name = 'RunTimeoutError';
  }
}

export type Deadline = {
  /** The run's own signal. It aborts when the lane's signal aborts, and at the deadline. */
  signal: AbortSignal;
  /** @throws {RunTimeoutError} once the deadline has passed. */
  throwIfPassed(): void;
  /** Call it when the run has ended: it removes the timer and the listener on the lane's signal. */
  cancel(): void;
};

/**
 * Starts the deadline of one run. Each run gets a signal of its own, with or without a timeout: the lane's signal lives for days,
 * and whatever a processor attaches to it (`fetch`, `AbortSignal.any`, listeners) would stay there.
 *
 * @param timeoutMs 0 means no timeout.
 * @param onPassed called when the deadline passes.
 */
export const startDeadline = (
  laneSignal: AbortSignal,
  timeoutMs: number,
  clock: Pick<Clock, 'after'>,
  onPassed: () => void,
): Deadline => {
  const controller = new AbortController();
  let passed: RunTimeoutError | undefined;
  const follow = () => controller.abort(laneSignal.reason);
  const onTimeout = () => {
    passed = new RunTimeoutError(timeoutMs);
    onPassed();
    controller.abort(passed);
  };
  const cancelTimer = timeoutMs === 0 ? () => {} : clock.after(timeoutMs, onTimeout);
  // A listener instead of AbortSignal.any, which would keep every run's signal alive for as long as the lane's.
  laneSignal.addEventListener('abort', follow, { once: true });
  if (laneSignal.aborted) follow();
  return {
    signal: controller.signal,
    throwIfPassed: () => {
      if (passed) throw passed;
    },
    cancel: () => {
      cancelTimer();
      laneSignal.removeEventListener('abort', follow);
    },
  };
};
