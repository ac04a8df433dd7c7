/** Lanes on RabbitMQ: one connection for each worker, one channel for each lane. */
import type { Config } from '../config.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Outages, watchOutages } from '../outage.ts';
import type { LaneBroker, LaneChannel, LaneEvents } from '../ports.ts';
import { createConnection } from './connection.ts';
import { ConsumingChannel } from './consuming-channel.ts';
import { consumeLane } from './lane-consumer.ts';
import { orUnavailable } from './unavailable.ts';
import { UserQueueConsumers } from './user-queue-consumers.ts';

export type RabbitLaneBroker = LaneBroker & { close(): Promise<void> };

type LaneBrokerConfig = Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'heartbeatSeconds' | 'laneQueueType'>;

const outageTexts = {
  away: 'RabbitMQ refuses lane consumers',
  back: 'RabbitMQ accepts all lane consumers again',
};

/** The server's own refusal has a number. A lost connection has none, and the connection logs it. */
const isRefusal = (error: unknown): boolean => typeof (error as { code?: unknown }).code === 'number';

export const createLaneBroker = (config: LaneBrokerConfig, log: Logger): RabbitLaneBroker => {
  const { rabbitmqUrl: url, heartbeatSeconds } = config;
  const connection = createConnection({ url, name: 'lanekeeper worker', heartbeatSeconds }, log);
  const refusals = watchRefusals(watchOutages(log, outageTexts));

  return {
    async openLane(lane, events) {
      const model = await connection.get();
      const channel = await orUnavailable('open a channel', model.createChannel());
      const consuming = new ConsumingChannel(channel, (cause) => events.closed(cause), log);
      try {
        const opened = await openLaneChannel(consuming, lane, events, config);
        refusals.opened(lane);
        return opened;
      } catch (error) {
        if (isRefusal(error)) refusals.refused(lane, error);
        await consuming.close();
        throw new BrokerUnavailableError(`RabbitMQ refused the consumer of lane ${lane}.`, error);
      }
    },
    close: () => connection.close(),
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

/** The lane and its user queues share one channel, so that they are lost together. */
const openLaneChannel = async (
  channel: ConsumingChannel,
  lane: number,
  events: LaneEvents,
  config: LaneBrokerConfig,
): Promise<LaneChannel> => {
  const { consumerCount } = await consumeLane(channel, lane, events, config);
  const userQueues = await UserQueueConsumers.on(channel, events, config.queuePrefix);
  return {
    openUserQueue: (userId) => userQueues.open(userId),
    deleteUserQueue: (userId) => userQueues.delete(userId),
    consumerCount,
    close: () => channel.close(),
  };
};
