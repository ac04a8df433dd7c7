/** User queues that a worker was declaring when it lost their lane [R13]. */

import { sleep } from '../clock.ts';
import { BrokerUnavailableError, StoreUnavailableError } from '../errors.ts';
import { logSampled } from '../log-sampled.ts';
import type { LaneDeps, WorkerContext } from './context.ts';

const retryMs = 1_000;
const maxTries = 30;

/** Each delete has a channel of its own, and a connection has few. */
const atATime = 16;

const deleteUnwanted = async (
  userIds: string[],
  { config, userQueues, laneBroker }: Pick<LaneDeps, 'config' | 'userQueues' | 'laneBroker'>,
): Promise<void> => {
  const found = await userQueues.get(userIds);
  const isCapped = config.maxOpenQueues > 0;
  const unwanted = found.filter(({ state, queueRefused }) => state !== 'open' || (isCapped && queueRefused));
  await Promise.all(unwanted.map(({ userId }) => laneBroker.deleteUnusedUserQueue(userId)));
};

/**
 * A declare that was on its way may take effect after the next owner has closed the user: nobody else would delete that queue.
 * Once our channels are closed no declare of ours can follow. The owner of a user that is open by then deletes its queue when it
 * closes the user. The owner of a user that is `closing`, or marked because it is beyond the cap [R15], may have deleted the queue
 * already, before our declare took effect. Without a cap a mark says only that RabbitMQ refused the queue: the owner may be
 * about to consume it. A server that does not answer leaves the queue to `x-expires`.
 */
export const deleteLateQueues = async (
  userIds: string[],
  channelsClosed: Promise<void>,
  { deps: { config, clock, userQueues, laneBroker, log } }: Pick<WorkerContext, 'deps'>,
): Promise<void> => {
  await channelsClosed;
  let left = userIds;
  for (let tries = 1; left.length > 0; ) {
    try {
      await deleteUnwanted(left.slice(0, atATime), { config, userQueues, laneBroker });
      left = left.slice(atATime);
    } catch (err) {
      const isAway = err instanceof BrokerUnavailableError || err instanceof StoreUnavailableError;
      if (!isAway || tries === maxTries) {
        logSampled(
          log,
          'error',
          { userIds: left, err },
          'could not delete unused user queues: they expire in RabbitMQ',
        );
        return;
      }
      tries += 1;
      await sleep(clock, retryMs);
    }
  }
};
