/** Finds work without progress, whatever was lost on its way, and wakes its owner [protocol, Sweep]. */
import type { StalledUser, TimeSpan } from '../ports.ts';
import type { EntryHead } from '../types.ts';
import type { LaneDeps } from './context.ts';
import { firstUnflushed, isPending, lastTimes, wasAcceptedIn } from './stalled-users.ts';

/** The most users that one sweep wakes. The next sweep wakes the rest. */
const sweepLimit = 1_000;

type SweepDeps = Pick<LaneDeps, 'userQueues'> & {
  ledger: Pick<LaneDeps['ledger'], 'readHeads'>;
  clock: Pick<LaneDeps['clock'], 'now'>;
  publisher: Pick<LaneDeps['publisher'], 'publishWake'>;
  config: Pick<LaneDeps['config'], 'stuckAfterMs'>;
};

/**
 * Each call drops expired sessions and wakes the lanes of users without progress that no owner vouches for.
 *
 * @param found called with these users before they are woken, so that they are reported even when the broker does not answer.
 */
export const createSweep = (deps: SweepDeps, found: (stuck: StalledUser[]) => void): (() => Promise<void>) => {
  /** The tickets without a ledger entry at the last sweep. A function that is alive records its ticket before the next one. */
  let unrecorded = new Set<string>();

  /** A user that was idle is stalled too: its first request says whether it waits for long. */
  const selectStuck = (stalled: StalledUser[], firstOf: Map<string, EntryHead>, recently: TimeSpan): StalledUser[] => {
    const unrecordedBefore = unrecorded;
    unrecorded = new Set();
    return stalled.filter((user) => {
      if (!isPending(user)) return true;
      const first = firstOf.get(user.userId);
      if (first) return !wasAcceptedIn(recently, first);
      const ticket = `${user.userId}:${user.settled + 1}`;
      unrecorded.add(ticket);
      return unrecordedBefore.has(ticket);
    });
  };

  return async () => {
    const now = deps.clock.now();
    await deps.userQueues.dropExpiredSessions(now);
    const recently = lastTimes(now, deps.config.stuckAfterMs);
    const stalled = await deps.userQueues.stuck(recently, sweepLimit, 'unvouched');
    const stuck = selectStuck(stalled, await firstUnflushed(stalled, deps.ledger), recently);
    found(stuck);
    await Promise.all(stuck.map(({ lane, userId }) => deps.publisher.publishWake(lane, userId)));
  };
};
