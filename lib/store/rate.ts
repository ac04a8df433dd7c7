/** Rates in updates with a pipeline. */
import { clockToleranceMs } from '../database-clock.ts';
import { maxRequestsPerCall } from '../limits.ts';
import type { TicketDemand } from '../ports.ts';

const secondMs = 1_000;

export const or0 = (field: string) => ({ $ifNull: [field, 0] });

/** A stored time that lies further ahead than `ms` was stored before MongoDB's clock was set back. It counts for nothing. */
export const unlessAhead = (field: string, now: number, ms: number) => ({
  $cond: [{ $gt: [or0(field), now + ms + clockToleranceMs] }, 0, or0(field)],
});

/**
 * A token bucket as one time: the whole rate is free again at `rateAt`, and `count` calls move that by `everyMs`. It may not lie behind
 * `limitMs`. More calls than the rate of a second are let through when the bucket is full, and what comes next waits longer;
 * for the sum of several calls, neither `rateAt` nor now may lie behind `sumLimitMs`. `aheadMs`: how far ahead of now `rateAt` may lie.
 */
export const rateOf = (
  { ratePerSecond, count = 1 }: { ratePerSecond?: number; count?: number },
  now: number,
  aheadMs = secondMs,
) => {
  const everyMs = (count * secondMs) / (ratePerSecond ?? Number.POSITIVE_INFINITY);
  const limitMs = now + Math.max(0, secondMs - everyMs);
  return { everyMs, limitMs, sumLimitMs: now + secondMs - everyMs, rateAt: unlessAhead('$rateAt', now, aheadMs) };
};

/** How far a ticket may move `rateAt` ahead of now: the largest call comes when the whole rate is free. */
export const ticketAheadMs = (ratePerSecond = Number.POSITIVE_INFINITY): number =>
  secondMs + (maxRequestsPerCall * secondMs) / ratePerSecond;

export const ticketRateOf = (demand: TicketDemand, now: number) =>
  rateOf(demand, now, ticketAheadMs(demand.ratePerSecond));
