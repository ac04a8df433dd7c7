/** How requests are offered: as many at a time as fit, or at a rate that does not care how the answers come. */
import { setTimeout as sleep } from 'node:timers/promises';

/** In ms since the epoch, with fractions. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Keeps `inFlight` calls under way until `count` are answered. The first failure ends it. */
export const closedLoop = async (
  count: number,
  inFlight: number,
  call: (index: number) => Promise<void>,
): Promise<void> => {
  let next = 0;
  const goOn = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await call(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, goOn));
};

export type Paced = { ratePerSecond: number; count: number };

type Pace = { now(): number; wait(ms: number): Promise<unknown> };

/**
 * Starts a call whenever one is due, whatever became of those before. `dueAt` is when it should have started: latencies
 * count from there, so that a stall is felt by all that came due in it and not only by the one that met it.
 */
export const openLoop = async (
  { ratePerSecond, count }: Paced,
  call: (index: number, dueAt: number) => Promise<void>,
  pace: Pace = { now: nowMs, wait: sleep },
): Promise<void> => {
  const startedAt = pace.now();
  const dueAt = (index: number) => startedAt + (index * 1_000) / ratePerSecond;
  const calls: Promise<void>[] = [];
  while (calls.length < count) {
    const due = dueAt(calls.length);
    if (due <= pace.now()) calls.push(call(calls.length, due));
    else await pace.wait(Math.max(1, due - pace.now()));
  }
  await Promise.all(calls);
};
