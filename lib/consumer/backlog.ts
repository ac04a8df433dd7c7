import type { SlotStatus } from '../cluster/worker-slot.ts';

/** What `GET /backlog` answers: about all users of all consumers. */
export type Backlog = {
  /** Requests that are not settled. */
  pending: number;
  /** The age of the oldest request that only lacks a slot or an owner. */
  oldestWaitMs: number;
  /** From 1 to `LANES`. */
  workersWanted: number;
};

/** The newest numbers of the workers of this consumer. `undefined`: none of them runs, or nobody has counted in time. */
export const backlogOf = (workers: Pick<SlotStatus, 'state' | 'snapshot'>[]): Backlog | undefined => {
  const snapshots = workers.flatMap(({ state, snapshot }) => (state === 'running' && snapshot ? [snapshot] : []));
  const [newest] = snapshots.sort((one, other) => one.statisticsAgeMs - other.statisticsAgeMs);
  if (newest?.workersWanted === undefined) return undefined;
  const { pendingRequests: pending, workersWanted } = newest;
  return { pending, oldestWaitMs: Math.max(...snapshots.map((one) => one.oldestWaitMs)), workersWanted };
};
