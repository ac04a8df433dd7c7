/** Finds work without progress, whatever was lost on its way, and tells the owner to look [protocol, Sweep]. */
import type { LaneDeps } from './context.ts';

/** What one sweep wakes at most; the next one goes on. */
const sweepLimit = 1_000;

type SweepDeps = Pick<LaneDeps, 'clock' | 'userQueues' | 'publisher'> & {
  config: Pick<LaneDeps['config'], 'stuckAfterMs'>;
};

/**
 * Drops expired sessions and wakes the lanes of users that show no progress and that no owner vouches for.
 *
 * @param found is told who they are before they are woken: a broker that does not answer is no reason to keep it secret.
 */
export const sweep = async (
  deps: SweepDeps,
  found: (stuck: { userId: string; lane: number }[]) => void,
): Promise<void> => {
  const now = deps.clock.now();
  await deps.userQueues.dropExpiredSessions(now);
  const before = new Date(now.getTime() - deps.config.stuckAfterMs);
  const stuck = await deps.userQueues.stuck(before, sweepLimit, 'unvouched');
  found(stuck);
  await Promise.all(stuck.map(({ lane, userId }) => deps.publisher.publishWake(lane, userId)));
};
