/** What a worker reports about itself, for metrics and health. */
import type { LaneHold } from './lane-hold.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';

export type WorkerSnapshot = {
  lanesOwned: number;
  usersLoaded: number;
  inFlight: number;
  /** Runs that go on against their signal. They hold no slot. */
  unresponsiveRuns: number;
  oldestPendingAgeMs: number;
  stuckUsers: number;
};

/**
 * What the last sweep found. `count`: as `GET /stuck` lists them. `since`: when the oldest request of those for whom no owner vouches
 * was accepted; nobody may own their lanes.
 */
export type StuckUsers = { count: number; since: Date | undefined };

/** How long the oldest pending request has been accepted, as far as the owner knows. */
const pendingAgeMs = (user: LoadedUser, now: number): number => {
  if (!hasWork(user)) return 0;
  const since = user.held.get(user.next)?.acceptedAt ?? user.gap?.since;
  return since ? now - since.getTime() : 0;
};

export const takeSnapshot = (
  owned: LaneHold[],
  counts: Pick<WorkerSnapshot, 'inFlight' | 'unresponsiveRuns'>,
  stuck: StuckUsers,
  at: Date,
): WorkerSnapshot => {
  const users = owned.flatMap((hold) => [...hold.users.all()]);
  const now = at.getTime();
  const stuckMs = stuck.since ? now - stuck.since.getTime() : 0;
  return {
    lanesOwned: owned.length,
    usersLoaded: users.length,
    ...counts,
    oldestPendingAgeMs: users.reduce((oldest, user) => Math.max(oldest, pendingAgeMs(user, now)), stuckMs),
    stuckUsers: stuck.count,
  };
};
