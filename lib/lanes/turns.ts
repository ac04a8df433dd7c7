/**
 * Lanes are handed over a few at a time. Those that wait for their turn are served meanwhile, and the next owners, which may have
 * just started, are not flooded: a user waits for its own lane and a few others, however many a worker has.
 */
import { sleep } from '../clock.ts';
import type { Clock } from '../ports.ts';
import { lendAfterMs } from './lend-runs.ts';

const turns = 4;
/** In a pause the next owners load what they were given. */
const pauseMs = 250;
/** What a worker that stops may spend on turns: the rest is for the runs. */
const shareOfGrace = 0.25;

const longestMs = turns * (lendAfterMs + pauseMs);

type TurnOptions = { clock: Pick<Clock, 'after'>; graceMs?: number; signal?: AbortSignal };

/** @param graceMs of a worker that stops: if it is short, all have their turn at once. */
export const inTurns = async <T>(
  items: T[],
  { clock, graceMs = Number.POSITIVE_INFINITY, signal }: TurnOptions,
  act: (item: T) => Promise<void>,
): Promise<void> => {
  const size = Math.ceil(items.length / (longestMs <= graceMs * shareOfGrace ? turns : 1));
  for (let first = 0; first < items.length; first += size) {
    if (first > 0) await sleep(clock, pauseMs, signal);
    if (signal?.aborted) return;
    await Promise.all(items.slice(first, first + size).map(act));
  }
};
