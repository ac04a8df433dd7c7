/** How long requests wait, and how many workers that wants: for whatever starts and stops consumers. */
import type { Config } from '../config.ts';
import type { Demand } from '../ports.ts';

/** Numbers that are older say nothing, unless they are counted so seldom: nobody can count, as while MongoDB is away. */
const validForMs = 60_000;

type Counted = { pendingRequests: number; pendingUsers: number | undefined; statisticsAgeMs: number };
type Rule = Pick<Config, 'lanes' | 'pendingPerWorker'> & { countedEveryMs: number };

const sumOf = (demands: Demand[], field: 'blockedUsers' | 'blockedRequests'): number =>
  demands.reduce((sum, demand) => sum + demand[field], 0);

/**
 * How long ago the oldest request was accepted that only lacks a slot or an owner. One that runs, is in its back-off or is blocked does
 * not wait in this sense, nor does one behind it: no further worker would help it.
 *
 * @param unvouchedSince when the oldest request was accepted for which no owner vouches.
 */
export const oldestWaitMs = (demands: Demand[], unvouchedSince: Date | undefined, now: Date): number => {
  const since = [unvouchedSince, ...demands.map(({ waitingSince }) => waitingSince)].filter((time) => !!time);
  return since.reduce((oldest, time) => Math.max(oldest, now.getTime() - time.getTime()), 0);
};

/**
 * One worker for `pendingPerWorker` pending requests, but no more than users who can go on, since each runs one request at a time, and
 * no more than lanes, since each has one owner. At least one. `undefined`: nobody has counted in time.
 */
export const workersWanted = (
  { pendingRequests, pendingUsers, statisticsAgeMs }: Counted,
  demands: Demand[],
  { lanes, pendingPerWorker, countedEveryMs }: Rule,
): number | undefined => {
  const isTooOld = statisticsAgeMs > Math.max(validForMs, 2 * countedEveryMs);
  if (pendingUsers === undefined || isTooOld) return undefined;
  const requests = pendingRequests - sumOf(demands, 'blockedRequests');
  const users = pendingUsers - sumOf(demands, 'blockedUsers');
  return Math.max(1, Math.min(Math.ceil(requests / pendingPerWorker), users, lanes));
};
