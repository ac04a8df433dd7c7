/**
 * Lanes on RabbitMQ: each worker has one connection for its lanes, with one channel for each lane, and another connection for
 * the consumers of user queues. Not every refusal ends only a channel: some limits end the connection.
 */
import type { Config } from '../config.ts';
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Outages, watchOutages } from '../outage.ts';
import type { LaneBroker } from '../ports.ts';
import { createConnection } from './connection.ts';
import { ConsumingChannel } from './consuming-channel.ts';
import { DeclaringChannel, watchChannelLimit } from './declaring-channel.ts';
import { consumeLane } from './lane-consumer.ts';
import { userQueue } from './names.ts';
import { isRefusal, orUnavailable } from './unavailable.ts';
import { UserQueues } from './user-queues.ts';

export type RabbitLaneBroker = LaneBroker & { close(): Promise<void> };

type LaneBrokerConfig = Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'heartbeatSeconds' | 'laneQueueType'>;

const outageTexts = {
  away: 'RabbitMQ refuses lane consumers',
  back: 'RabbitMQ accepts all lane consumers again',
};

export const createLaneBroker = (config: LaneBrokerConfig, log: Logger): RabbitLaneBroker => {
  const { rabbitmqUrl: url, heartbeatSeconds } = config;
  const lanes = createConnection({ url, name: 'lanekeeper worker', heartbeatSeconds }, log);
  const consumers = createConnection({ url, name: 'lanekeeper user queues', heartbeatSeconds }, log);
  const channelLimit = watchChannelLimit();
  const refusals = watchRefusals(watchOutages(log, outageTexts));

  return {
    async openLane(lane, events) {
      const model = await lanes.get();
      const channel = await orUnavailable(
        'open a channel',
        ConsumingChannel.open(model, (cause) => events.closed(cause), log),
      );
      try {
        const { consumerCount } = await consumeLane(channel, lane, events, config);
        refusals.opened(lane);
        return { consumerCount, close: () => channel.close() };
      } catch (error) {
        // The connection logs its own end.
        if (isRefusal(error)) refusals.refused(lane, error);
        await channel.close();
        throw new BrokerUnavailableError(`RabbitMQ refused the consumer of lane ${lane}.`, error);
      }
    },
    openUserQueues: (events) => new UserQueues({ lanes, consumers, channelLimit }, events, config.queuePrefix, log),
    async deleteUnusedUserQueue(userId) {
      const channel = new DeclaringChannel(lanes, channelLimit);
      try {
        await channel.delete(userQueue(config.queuePrefix, userId), { ifUnused: true });
      } catch (error) {
        // Somebody consumes it.
        if (!(error instanceof BrokerRefusedError)) throw error;
      } finally {
        await channel.close();
      }
    },
    async close() {
      await Promise.all([lanes.close(), consumers.close()]);
    },
  };
};

/** Lanes that the server refused when they were last opened, for instance without a permission or after their type was changed. */
const watchRefusals = (outages: Outages) => {
  const refused = new Set<number>();
  return {
    refused(lane: number, error: unknown): void {
      refused.add(lane);
      outages.failed(error);
    },
    opened(lane: number): void {
      if (refused.delete(lane) && refused.size === 0) outages.succeeded();
    },
  };
};
