/** Finds work without progress, whatever was lost on its way, and wakes its owner [protocol, Sweep]. */
import type { StalledUser, TimeSpan } from '../ports.ts';
import type { LaneDeps } from './context.ts';
import { type FirstPending, firstPending, hasMovedIn, lastTimes } from './stalled-users.ts';

/** The most users that one sweep wakes. The next sweep wakes the rest. */
const sweepLimit = 1_000;

type SweepDeps = Pick<LaneDeps, 'userQueues'> & {
  ledger: Pick<LaneDeps['ledger'], 'readHeads' | 'oldestPending'>;
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
  /** Those that the last sweep found in a state that may pass within a moment. */
  let suspects = new Set<string>();

  /** A user that was idle is stalled too: its first request says whether it waits for long. */
  const selectStuck = (
    stalled: StalledUser[],
    firstOf: Map<string, FirstPending>,
    recently: TimeSpan,
  ): StalledUser[] => {
    const suspectsBefore = suspects;
    suspects = new Set();
    const isFoundAgain = (suspect: string): boolean => {
      suspects.add(suspect);
      return suspectsBefore.has(suspect);
    };
    return stalled.filter(({ userId, settled }) => {
      const first = firstOf.get(userId);
      // Its session has ended, perhaps a moment ago, or its queue is being deleted.
      if (!first) return isFoundAgain(userId);
      // A function that is alive records its ticket before the next sweep, and an owner that has loaded the user flushes.
      if (first === 'unknown' || first === 'none') return isFoundAgain(`${userId}:${settled}:${first}`);
      return !hasMovedIn(recently, first);
    });
  };

  return async () => {
    const now = deps.clock.now();
    await deps.userQueues.dropExpiredSessions(now);
    const recently = lastTimes(now, deps.config.stuckAfterMs);
    const stalled = await deps.userQueues.stuck(recently, sweepLimit, 'unvouched');
    const stuck = selectStuck(stalled, await firstPending(stalled, deps.ledger), recently);
    found(stuck);
    await Promise.all(stuck.map(({ lane, userId }) => deps.publisher.publishWake(lane, userId)));
  };
};
