/** Lanes on RabbitMQ: one connection for each worker, one channel for each lane. */
import type { ChannelModel } from 'amqplib';
import type { Config } from '../config.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { LaneBroker, LaneChannel, LaneEvents } from '../ports.ts';
import { channelMaxOf, createConnection } from './connection.ts';
import { ConsumingChannel } from './consuming-channel.ts';
import { consumeLane } from './lane-consumer.ts';
import { LaneReport, type LaneReportTimes } from './lane-report.ts';
import { UserQueueConsumers } from './user-queue-consumers.ts';

export type RabbitLaneBroker = LaneBroker & { close(): Promise<void> };

type LaneBrokerConfig = Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'heartbeatSeconds' | 'laneQueueType' | 'lanes'>;

export const createLaneBroker = (
  config: LaneBrokerConfig,
  log: Logger,
  times: LaneReportTimes = {},
): RabbitLaneBroker => {
  const { rabbitmqUrl: url, heartbeatSeconds, lanes } = config;
  const connection = createConnection({ url, name: 'lanekeeper worker', heartbeatSeconds }, log);
  const report = new LaneReport({ url, lanes, ...times }, log);

  const openOn = async (model: ChannelModel, lane: number, events: LaneEvents): Promise<LaneChannel> => {
    const channel = await model.createChannel();
    let isOpen = false;
    const closed = (cause: Error | undefined): void => {
      // Until the lane is open, its caller learns of the end by a rejection.
      if (!isOpen) return;
      report.lost(lane);
      events.closed(cause);
    };
    const consuming = new ConsumingChannel(channel, closed, log);
    try {
      const opened = await openLaneChannel(consuming, lane, events, config);
      consuming.assertOpen();
      isOpen = true;
      return opened;
    } catch (error) {
      await consuming.close();
      throw error;
    }
  };

  return {
    async openLane(lane, events) {
      const model = await connection.get();
      report.connected(channelMaxOf(model));
      const noLongerOpening = report.opening(lane);
      try {
        const opened = await openOn(model, lane, events);
        report.opened(lane);
        return opened;
      } catch (error) {
        const cause = connection.failureOf(model) ?? error;
        report.failed(lane, cause);
        throw new BrokerUnavailableError(`Lane ${lane} could not be opened in RabbitMQ.`, cause);
      } finally {
        noLongerOpening();
      }
    },
    close: () => {
      report.close();
      return connection.close();
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
