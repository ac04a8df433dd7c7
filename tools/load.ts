/** How requests are offered: a fixed number at a time, or at a rate that does not depend on the answers. */
import { setTimeout as sleep } from 'node:timers/promises';

/** In ms since the epoch, with fractions. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Keeps `inFlight` calls under way until `count` calls are made. The first failure rejects. */
export const closedLoop = async (
  { count, inFlight }: { count: number; inFlight: number },
  call: (index: number) => Promise<unknown>,
): Promise<void> => {
  let started = 0;
  const callNext = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      await call(started - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, callNext));
};

export type Paced = { ratePerSecond: number; count: number };

/**
 * Starts each call when it is due, even if earlier calls still wait for their answer. Latencies count from `dueAt`, so that a
 * stall counts for every call that came due during it. Load tools that wait for answers leave these calls out.
 */
export const openLoop = async (
  { ratePerSecond, count }: Paced,
  call: (index: number, dueAt: number) => Promise<void>,
  pace: { now(): number; wait(ms: number): Promise<unknown> } = { now: nowMs, wait: sleep },
): Promise<void> => {
  const startedAt = pace.now();
  const calls: Promise<void>[] = [];
  while (calls.length < count) {
    const dueAt = startedAt + (calls.length * 1_000) / ratePerSecond;
    if (dueAt <= pace.now()) calls.push(call(calls.length, dueAt));
    else await pace.wait(Math.max(1, dueAt - pace.now()));
  }
  await Promise.all(calls);
};
