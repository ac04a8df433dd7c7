/**
 * Lanes on RabbitMQ: each worker has one connection for its lanes, with one channel for each lane, and another connection for
 * the consumers of user queues. Not every refusal ends only a channel: some limits end the connection.
 */
import type { ChannelModel } from 'amqplib';
import type { Config } from '../config.ts';
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { LaneBroker, LaneChannel, LaneEvents } from '../ports.ts';
import { channelMaxOf, createConnection } from './connection.ts';
import { ConsumingChannel } from './consuming-channel.ts';
import { DeclaringChannel, watchChannelLimit } from './declaring-channel.ts';
import { consumeLane } from './lane-consumer.ts';
import { LaneReport, type LaneReportTimes } from './lane-report.ts';
import { laneQueue, userQueue } from './names.ts';
import { urlsInRandomOrder } from './open-connection.ts';
import { isRefusalOf, preconditionFailed, queueDelete } from './unavailable.ts';
import { UserQueues } from './user-queues.ts';

export type RabbitLaneBroker = LaneBroker & { close(): Promise<void> };

type LaneBrokerConfig = Pick<
  Config,
  'rabbitmqUrl' | 'queuePrefix' | 'heartbeatSeconds' | 'frozenAfterMs' | 'laneQueueType' | 'lanes'
>;

export const createLaneBroker = (
  config: LaneBrokerConfig,
  log: Logger,
  times: LaneReportTimes = {},
): RabbitLaneBroker => {
  const { rabbitmqUrl: url, heartbeatSeconds, frozenAfterMs } = config;
  // The same for both: most of what a worker declares and consumes is on one host.
  const shared = { urls: urlsInRandomOrder(url), heartbeatSeconds, frozenAfterMs };
  const lanes = createConnection({ name: 'lanekeeper worker', ...shared }, log);
  const consumers = createConnection({ name: 'lanekeeper user queues', ...shared }, log);
  const channelLimit = watchChannelLimit();
  const report = new LaneReport({ url, lanes: config.lanes, ...times }, log);

  return {
    async openLane(lane, events) {
      const model = await lanes.get();
      report.connected(channelMaxOf(model));
      const noLongerOpening = report.opening(lane);
      try {
        const opened = await openOn(model, lane, events, { config, log, report });
        report.opened(lane);
        return opened;
      } catch (error) {
        const cause = lanes.failureOf(model) ?? error;
        report.failed(lane, cause);
        throw new BrokerUnavailableError(`Lane ${lane} could not be opened in RabbitMQ.`, cause);
      } finally {
        noLongerOpening();
      }
    },
    openUserQueues: (events) => new UserQueues({ lanes, consumers, channelLimit }, events, config.queuePrefix, log),
    async deleteUnusedUserQueue(userId) {
      const channel = new DeclaringChannel(lanes, channelLimit);
      try {
        await channel.delete(userQueue(config.queuePrefix, userId), { ifUnused: true });
      } catch (error) {
        if (!isInUse(error)) throw error;
      } finally {
        await channel.close();
      }
    },
    async deleteLane(lane) {
      const channel = new DeclaringChannel(lanes, channelLimit);
      try {
        await channel.delete(laneQueue(config.queuePrefix, lane));
      } finally {
        await channel.close();
      }
    },
    async close() {
      report.close();
      await Promise.all([lanes.close(), consumers.close()]);
    },
  };
};

/** Whether a delete was refused because somebody consumes the queue. */
const isInUse = (error: unknown): boolean =>
  error instanceof BrokerRefusedError &&
  isRefusalOf(error.cause, queueDelete) &&
  error.cause.code === preconditionFailed;

type OpenDeps = { config: LaneBrokerConfig; log: Logger; report: LaneReport };

const openOn = async (
  model: ChannelModel,
  lane: number,
  events: LaneEvents,
  { config, log, report }: OpenDeps,
): Promise<LaneChannel> => {
  let isOpen = false;
  const closed = (cause: Error | undefined): void => {
    // Until the lane is open, its caller learns of the end by a rejection.
    if (!isOpen) return;
    report.lost(lane);
    events.closed(cause);
  };
  const channel = await ConsumingChannel.open(model, closed, log);
  try {
    const { consumerCount } = await consumeLane(channel, lane, events, config);
    if (!channel.isOpen) throw new Error('The channel was closed.');
    isOpen = true;
    return { consumerCount, close: () => channel.close() };
  } catch (error) {
    await channel.close();
    throw error;
  }
};
