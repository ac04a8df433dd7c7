/** How requests are offered: as many at a time as fit, or at a rate that does not care how the answers come. */
import { setTimeout as sleep } from 'node:timers/promises';

/** In ms since the epoch, with fractions. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

export type Closed = { count: number; inFlight: number; limitMs?: number };

/** Keeps `inFlight` calls under way until `count` are made or the time is over; returns how many. The first failure ends it. */
export const closedLoop = async (
  { count, inFlight, limitMs = Number.POSITIVE_INFINITY }: Closed,
  call: (index: number) => Promise<void>,
  now: () => number = nowMs,
): Promise<number> => {
  const endsAt = now() + limitMs;
  let made = 0;
  const goOn = async () => {
    while (made < count && now() < endsAt) {
      const index = made;
      made += 1;
      await call(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, goOn));
  return made;
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
