/** What a worker reports about itself, for metrics and health. */
import type { LaneHold } from './lane-hold.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';
import type { Moment } from './moment.ts';

export type WorkerSnapshot = {
  workerId: string;
  lanesOwned: number;
  usersLoaded: number;
  inFlight: number;
  /** How long the oldest run has lasted; 0 without runs. */
  oldestRunMs: number;
  /** Runs that go on against their signal. They hold no slot. */
  unresponsiveRuns: number;
  oldestPendingAgeMs: number;
  /** Of all users of all consumers: see `Statistics`. */
  stuckUsers: number;
  pendingRequests: number;
  deadLetters: number;
  /** How old these three numbers are. */
  statisticsAgeMs: number;
  /** Of all consumers: see backlog.ts. */
  oldestWaitMs: number;
  workersWanted?: number;
  /** Whether the servers answer this worker. */
  mongodbUp: boolean;
  rabbitmqUp: boolean;
  /** Bytes of bodies that are held, or set aside for reads. */
  heldBytes: number;
  /** Users whose queue RabbitMQ refuses. */
  refusedQueues: number;
  /** Users without a queue, because of the cap. */
  queuesBeyondCap: number;
  /** The lanes that no worker of any consumer owns. Absent until this worker knows. */
  lanesWithoutOwner?: number[];
  /** The indexes that MongoDB lacks. A worker does without them. */
  missingIndexes?: string[];
};

/** How long the oldest pending request has been accepted, as far as the owner knows. */
const pendingAgeMs = (user: LoadedUser, now: Moment): number => {
  if (!hasWork(user)) return 0;
  const acceptedAt = user.held.get(user.next)?.acceptedAt;
  if (acceptedAt) return now.date.getTime() - acceptedAt.getTime();
  return user.gap ? now.ms - user.taken.since : 0;
};

/** @param unvouchedSince when the oldest request was accepted for which no owner vouches: nobody may own its lane. */
export const takeSnapshot = (
  owned: LaneHold[],
  unvouchedSince: Date | undefined,
  now: Moment,
): Pick<WorkerSnapshot, 'lanesOwned' | 'usersLoaded' | 'oldestPendingAgeMs' | 'refusedQueues' | 'queuesBeyondCap'> => {
  const users = owned.flatMap((hold) => [...hold.users.all()]);
  const unvouchedMs = unvouchedSince ? Math.max(0, now.date.getTime() - unvouchedSince.getTime()) : 0;
  return {
    lanesOwned: owned.length,
    usersLoaded: users.length,
    oldestPendingAgeMs: users.reduce((oldest, user) => Math.max(oldest, pendingAgeMs(user, now)), unvouchedMs),
    refusedQueues: users.filter(({ queue }) => queue === 'refused').length,
    queuesBeyondCap: users.filter(({ queue }) => queue === 'beyond-cap').length,
  };
};
