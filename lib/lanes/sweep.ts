/** Finds work without progress, whatever was lost on its way, and tells the owner to look [protocol, Sweep]. */
import type { StalledUser } from '../ports.ts';
import type { LedgerEntry } from '../types.ts';
import type { LaneDeps } from './context.ts';
import { firstUnflushed, isPending, isRecent } from './stalled-users.ts';

/** What one sweep wakes at most; the next one goes on. */
const sweepLimit = 1_000;

type SweepDeps = Pick<LaneDeps, 'userQueues' | 'ledger'> & {
  clock: Pick<LaneDeps['clock'], 'now'>;
  publisher: Pick<LaneDeps['publisher'], 'publishWake'>;
  config: Pick<LaneDeps['config'], 'stuckAfterMs'>;
};

/**
 * Each call drops expired sessions and wakes the lanes of users that show no progress and that no owner vouches for.
 *
 * @param found is told who they are before they are woken: a broker that does not answer is no reason to keep it secret.
 */
export const createSweep = (deps: SweepDeps, found: (stuck: StalledUser[]) => void): (() => Promise<void>) => {
  /** The tickets without a record, as the last sweep saw them: a function that lives is done before the next one. */
  let unrecorded = new Set<string>();

  /** Who was idle has seen no progress either: its first request says whether it waits for long. */
  const judge = (
    stalledUsers: StalledUser[],
    first: Map<string, LedgerEntry>,
    before: Date,
    now: Date,
  ): StalledUser[] => {
    const seenBefore = unrecorded;
    unrecorded = new Set();
    return stalledUsers.filter((suspect) => {
      if (!isPending(suspect)) return true;
      const entry = first.get(suspect.userId);
      if (entry) return !isRecent(entry, before, now);
      const ticket = `${suspect.userId}:${suspect.settled + 1}`;
      unrecorded.add(ticket);
      return seenBefore.has(ticket);
    });
  };

  return async () => {
    const now = deps.clock.now();
    await deps.userQueues.dropExpiredSessions(now);
    const before = new Date(now.getTime() - deps.config.stuckAfterMs);
    const stalledUsers = await deps.userQueues.stuck(before, sweepLimit, 'unvouched');
    const stuck = judge(stalledUsers, await firstUnflushed(stalledUsers, deps.ledger), before, now);
    found(stuck);
    await Promise.all(stuck.map(({ lane, userId }) => deps.publisher.publishWake(lane, userId)));
  };
};
