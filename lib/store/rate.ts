/** Rates in updates with a pipeline. */
import { clockToleranceMs } from '../database-clock.ts';

const secondMs = 1_000;

export const or0 = (field: string) => ({ $ifNull: [field, 0] });

/** A stored time that lies further ahead than `ms` was stored before MongoDB's clock was set back. It counts for nothing. */
export const unlessAhead = (field: string, now: number, ms: number) => ({
  $cond: [{ $gt: [or0(field), now + ms + clockToleranceMs] }, 0, or0(field)],
});

/**
 * A token bucket as one time: the whole rate is free again at `rateAt`, and `count` calls move that by `everyMs`. It may not lie behind
 * `limitMs`. More calls than the rate of a second are let through when the bucket is full, and what comes next waits longer;
 * for the sum of several calls, neither `rateAt` nor now may lie behind `sumLimitMs`.
 */
export const rateOf = ({ ratePerSecond, count = 1 }: { ratePerSecond?: number; count?: number }, now: number) => {
  const everyMs = (count * secondMs) / (ratePerSecond ?? Number.POSITIVE_INFINITY);
  const limitMs = now + Math.max(0, secondMs - everyMs);
  return { everyMs, limitMs, sumLimitMs: now + secondMs - everyMs, rateAt: unlessAhead('$rateAt', now, secondMs) };
};
