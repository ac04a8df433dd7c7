import { sleep } from '../clock.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { WorkerContext } from './context.ts';
import type { OwnedLane } from './owned-lane.ts';

/** The pause after RabbitMQ did not take a baton. */
const retryMs = 1_000;

/**
 * A baton always lies in the lane [R3]: publishes one, and tries again while RabbitMQ does not take it.
 *
 * The pause ignores the lane's signal: a lane whose runs are aborted is still held, and would try again without a pause.
 */
export const publishBaton = async (
  lane: OwnedLane,
  wanted: () => boolean,
  { deps }: Pick<WorkerContext, 'deps'>,
): Promise<void> => {
  while (wanted()) {
    try {
      if ((await deps.publisher.publishBaton(lane.lane)) === 'unroutable') lane.lose('its queue does not exist');
      return;
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      await sleep(deps.clock, retryMs);
    }
  }
};
