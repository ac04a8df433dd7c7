/** What a worker reports about itself, for metrics and health. */
import type { LaneHold } from './lane-hold.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';
import type { Moment } from './moment.ts';

export type WorkerSnapshot = {
  workerId: string;
  lanesOwned: number;
  usersLoaded: number;
  inFlight: number;
  /** Runs that go on against their signal. They hold no slot. */
  unresponsiveRuns: number;
  oldestPendingAgeMs: number;
  stuckUsers: number;
  /** Bytes of bodies that are held, or set aside for reads. */
  heldBytes: number;
  /** Users whose queue RabbitMQ refuses. */
  refusedQueues: number;
  /** The lanes that no worker of any consumer owns. Absent until this worker knows. */
  lanesWithoutOwner?: number[];
};

/**
 * What the last sweep found. `count`: as `GET /stuck` lists them. `since`: when the oldest request of those for whom no owner vouches
 * was accepted; nobody may own their lanes.
 */
export type StuckUsers = { count: number; since: Date | undefined };

/** How long the oldest pending request has been accepted, as far as the owner knows. */
const pendingAgeMs = (user: LoadedUser, now: Moment): number => {
  if (!hasWork(user)) return 0;
  const acceptedAt = user.held.get(user.next)?.acceptedAt;
  if (acceptedAt) return now.date.getTime() - acceptedAt.getTime();
  return user.gap ? now.ms - user.gap.since : 0;
};

export const takeSnapshot = (
  owned: LaneHold[],
  counts: Pick<WorkerSnapshot, 'inFlight' | 'unresponsiveRuns' | 'heldBytes'>,
  stuck: StuckUsers,
  now: Moment,
): Omit<WorkerSnapshot, 'workerId' | 'lanesWithoutOwner'> => {
  const users = owned.flatMap((hold) => [...hold.users.all()]);
  const stuckMs = stuck.since ? Math.max(0, now.date.getTime() - stuck.since.getTime()) : 0;
  return {
    lanesOwned: owned.length,
    usersLoaded: users.length,
    ...counts,
    oldestPendingAgeMs: users.reduce((oldest, user) => Math.max(oldest, pendingAgeMs(user, now)), stuckMs),
    stuckUsers: stuck.count,
    refusedQueues: users.filter(({ queue }) => queue === 'refused').length,
  };
};
