/** Finds work without progress, whatever was lost on its way, and tells the owner to look [protocol, Sweep]. */
import type { LaneDeps } from './context.ts';

/** What one sweep wakes at most; the next one goes on. */
const sweepLimit = 1_000;

/**
 * Drops expired sessions and wakes the lanes of users that show no progress.
 *
 * @param isBusy users that are known to be worked on: a long run is not a standstill.
 * @returns how many users were found stuck.
 */
export const sweep = async (
  deps: Pick<LaneDeps, 'clock' | 'userQueues' | 'publisher'> & { config: Pick<LaneDeps['config'], 'stuckAfterMs'> },
  isBusy: (userId: string) => boolean,
): Promise<number> => {
  const now = deps.clock.now();
  await deps.userQueues.dropExpiredSessions(now);
  const before = new Date(now.getTime() - deps.config.stuckAfterMs);
  const stuck = (await deps.userQueues.stuck(before, sweepLimit)).filter(({ userId }) => !isBusy(userId));
  await Promise.all(stuck.map(({ lane, userId }) => deps.publisher.publishWake(lane, userId)));
  return stuck.length;
};
