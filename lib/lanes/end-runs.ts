/** The end of the runs of a lane that is given up [R16]. */
import type { Activity } from './activity.ts';
import type { WorkerContext } from './context.ts';

/**
 * Call it when the signal of the lane is aborted. Resolves when no run of it goes on, lent ones included, or when RabbitMQ has closed the
 * channel. A run that goes on for `graceMs` ends only with this process: the worker must retire.
 */
export const whenRunsEnded = async (
  activity: Activity,
  channelClosed: Promise<void>,
  { deps, retirement }: WorkerContext,
): Promise<void> => {
  const cancel = deps.clock.after(deps.config.graceMs, retirement.resolve);
  await Promise.race([activity.whenNoRuns(), channelClosed]);
  cancel();
};
