/**
 * Lanes are handed over a few at a time. Those that wait for their turn are served meanwhile, and the next owners, which may have
 * just started, are not flooded: a user waits for its own lane and a few others, however many a worker has.
 */
import { sleep } from '../clock.ts';
import type { Clock } from '../ports.ts';
import { lendAfterMs } from './lend-runs.ts';

const maxTurns = 4;
/** So few users flood nobody, and would wait for the pauses alone: after an edit in the dev loop, for example. */
const fewUsers = 3;
/** In a pause the next owners load what they were given. */
const pauseMs = 250;
/** What a worker that stops may spend on turns: the rest is for the runs. */
const shareOfGrace = 0.25;

const longestMs = maxTurns * (lendAfterMs + pauseMs);

export const usersOf = (lanes: { users: { size: number } }[]): number =>
  lanes.reduce((sum, { users }) => sum + users.size, 0);

type TurnOptions = { clock: Pick<Clock, 'after'>; users: number; graceMs?: number; signal?: AbortSignal };

/**
 * @param users that the next owners have to load.
 * @param graceMs of a worker that stops: if it is short, all have their turn at once.
 */
export const inTurns = async <T>(
  items: T[],
  { clock, users, graceMs = Number.POSITIVE_INFINITY, signal }: TurnOptions,
  act: (item: T) => Promise<void>,
): Promise<void> => {
  const turns = users > fewUsers && longestMs <= graceMs * shareOfGrace ? maxTurns : 1;
  const size = Math.ceil(items.length / turns);
  for (let first = 0; first < items.length; first += size) {
    if (first > 0) await sleep(clock, pauseMs, signal);
    if (signal?.aborted) return;
    await Promise.all(items.slice(first, first + size).map(act));
  }
};
