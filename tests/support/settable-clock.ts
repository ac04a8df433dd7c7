/** The clock of one host, which a test sets ahead or back. Its monotonic clock and its timers go on as if nothing had happened. */
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/ports.ts';

export const settableClock = (aheadMs = 0): { clock: Clock; set(aheadMs: number): void } => {
  let ahead = aheadMs;
  return {
    clock: { ...systemClock, now: () => new Date(Date.now() + ahead) },
    set(ms) {
      ahead = ms;
    },
  };
};
