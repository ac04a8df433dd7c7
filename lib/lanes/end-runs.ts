/** The end of the runs of a lane that is given up [R16]. */
import { withTimeout } from '../timeout.ts';
import type { Activity } from './activity.ts';
import type { WorkerContext } from './context.ts';
import { lendAfterMs, lendRuns } from './lend-runs.ts';
import type { LoadedUser } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';

type EndDeps = { activity: Activity; channelClosed: Promise<void>; context: WorkerContext };

/**
 * Call it when the signal of the lane is aborted. Resolves when no run goes on that is not lent out, or when RabbitMQ has closed the channel:
 * then the lane has gone to another worker already. Never rejects.
 */
export const endRuns = async (
  users: ReadonlyMap<string, LoadedUser>,
  lane: OwnedLane,
  { activity, channelClosed, context }: EndDeps,
): Promise<void> => {
  const { clock, log } = context.deps;
  let isOver = false;
  const over = Promise.race([activity.whenNoRuns(), channelClosed]).then(() => {
    isOver = true;
  });
  await withTimeout(clock, lendAfterMs, over, () => undefined);
  if (isOver) return;
  log.warn({ lane: lane.lane }, 'the lane is kept until its runs have ended, or are lent out');
  const lent = lendRuns(users, lane, { wanted: () => !isOver }, context).catch((err) => {
    log.error({ lane: lane.lane, err }, 'runs of a lane that is given up cannot be lent out');
    return over;
  });
  await Promise.race([over, lent]);
};
