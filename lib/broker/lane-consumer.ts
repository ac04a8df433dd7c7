/** The consumer of a lane's queue: batons and wakes. */
import type { ConsumeMessage } from 'amqplib';
import type { Config } from '../config.ts';
import type { LaneChannel, LaneEvents } from '../ports.ts';
import type { ConsumingChannel } from './consuming-channel.ts';
import { isBaton, wakeOf } from './messages.ts';
import { laneQueue, laneQueueOptions } from './names.ts';
import { orUnavailable } from './unavailable.ts';

/** Wakes that may be unacknowledged besides the baton. Well above 1: the owner holds the baton while wakes come. */
const lanePrefetch = 256;

export type LaneConsumer = Pick<LaneChannel, 'consumerCount'>;

/** Declares the lane and consumes it. */
export const consumeLane = async (
  channel: ConsumingChannel,
  lane: number,
  events: Pick<LaneEvents, 'baton' | 'wake'>,
  config: Pick<Config, 'queuePrefix' | 'laneQueueType'>,
): Promise<LaneConsumer> => {
  const queue = laneQueue(config.queuePrefix, lane);
  const declare = () => channel.declare(queue, laneQueueOptions(config.laneQueueType));

  const receive = (message: ConsumeMessage | undefined): void => {
    if (!message) {
      // Somebody deleted the lane's queue: without it, owning the lane means nothing.
      channel.fail();
    } else if (isBaton(message)) {
      events.baton(channel.deliveryOf(message));
    } else {
      const userId = wakeOf(message);
      if (userId === undefined) channel.dropForeign(message);
      else events.wake(userId, channel.deliveryOf(message));
    }
  };

  await declare();
  await channel.prefetch(lanePrefetch);
  await channel.consume(queue, receive);
  return {
    async consumerCount() {
      const { consumerCount } = await orUnavailable('count consumers', declare());
      return config.laneQueueType === 'quorum' ? undefined : consumerCount;
    },
  };
};
