/** Lanes on RabbitMQ: one connection a worker, one channel a lane. */
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Config } from '../config.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import type { Delivery, LaneBroker, LaneChannel, LaneEvents } from '../ports.ts';
import type { RequestMessage, RunLimits } from '../types.ts';
import { createConnection } from './connection.ts';
import { laneMessage, laneQueue, laneQueueOptions, userQueue, userQueueOptions } from './names.ts';

export type RabbitLaneBroker = LaneBroker & { close(): Promise<void> };

/** Wakes that may lie unacked beside the baton. Well above 1: the baton stays while wakes come. */
const lanePrefetch = 256;
/** Requests of one user that wait in the worker's memory; the rest waits in the user queue. */
const userPrefetch = 8;
/** A channel that the server does not close in this time is left to its connection. */
const closeTimeoutMs = 2_000;
const outageTexts = {
  away: 'RabbitMQ does not let lanes be consumed',
  back: 'RabbitMQ lets all lanes be consumed again',
};

type LaneBrokerConfig = Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'heartbeatSeconds' | 'laneQueueType'>;

const unavailable = (what: string) => (error: unknown) => {
  throw new BrokerUnavailableError(`RabbitMQ did not ${what}.`, error);
};

/** The server's own answer, with its number; a lost connection has none, and is told by the connection. */
const isRefusal = (error: unknown): boolean => typeof (error as { code?: unknown }).code === 'number';

export const createLaneBroker = (config: LaneBrokerConfig, log: Logger): RabbitLaneBroker => {
  const { rabbitmqUrl: url, heartbeatSeconds } = config;
  const connection = createConnection({ url, name: 'lanekeeper worker', heartbeatSeconds }, log);
  const outages = watchOutages(log, outageTexts);
  /** Lanes that the server refused when they were last opened: for want of a permission, say, or because their type was changed. */
  const refused = new Set<number>();

  const noteRefused = (lane: number, error: unknown): void => {
    refused.add(lane);
    outages.failed(error);
  };

  const noteOpened = (lane: number): void => {
    if (refused.delete(lane) && refused.size === 0) outages.succeeded();
  };

  return {
    async openLane(lane, events) {
      const model = await connection.get();
      const channel = await model.createChannel().catch(unavailable('open a channel'));
      try {
        const opened = await consumeLane(channel, lane, events, config, log);
        noteOpened(lane);
        return opened;
      } catch (error) {
        if (isRefusal(error)) noteRefused(lane, error);
        await closeChannel(channel);
        throw new BrokerUnavailableError(`RabbitMQ did not let lane ${lane} be consumed.`, error);
      }
    },
    close: () => connection.close(),
  };
};

const closeChannel = async (channel: Channel): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closeTimeoutMs);
  });
  try {
    await Promise.race([channel.close(), late]);
  } catch {
    // Closed already, by the server or with its connection: what was asked for.
  } finally {
    clearTimeout(timer);
  }
};

const consumeLane = async (
  channel: Channel,
  lane: number,
  events: LaneEvents,
  config: LaneBrokerConfig,
  log: Logger,
): Promise<LaneChannel> => {
  const queue = laneQueue(config.queuePrefix, lane);
  const options = laneQueueOptions(config.laneQueueType);
  /** The live consumer of each user queue. A cancel of any other was our own delete. */
  const consumers = new Map<string, string>();
  let consumersMade = 0;
  let open = true;

  let cause: Error | undefined;
  channel.on('error', (error) => {
    cause = error;
  });
  channel.once('close', () => {
    if (!open) return;
    open = false;
    events.closed(cause);
  });

  const deliveryOf = (message: ConsumeMessage): Delivery => ({
    ack: () => {
      try {
        if (open) channel.ack(message);
      } catch {
        // The channel is closing: the server takes the message back.
      }
    },
  });

  /** A message that is not ours to understand is acked: the ledger has everything that matters. */
  const read = <T>(message: ConsumeMessage, as: (content: unknown) => T | undefined): T | undefined => {
    try {
      const value = as(JSON.parse(message.content.toString('utf8')));
      if (value !== undefined) return value;
    } catch {
      // Not JSON: told below.
    }
    log.warn({ queue: message.fields.routingKey }, 'dropped a message that is not ours');
    deliveryOf(message).ack();
    return undefined;
  };

  const onLaneMessage = (message: ConsumeMessage | null): void => {
    if (!open) return;
    // The lane itself was deleted: nothing holds the channel together any more.
    if (!message) return void channel.close().catch(() => undefined);
    if (message.properties.type === laneMessage.baton) {
      events.baton(deliveryOf(message));
      return;
    }
    const wake = read(message, asWake);
    if (wake) events.wake(wake.userId, deliveryOf(message));
  };

  const onUserMessage = (userId: string, consumerTag: string, message: ConsumeMessage | null): void => {
    if (!open) return;
    if (message) {
      const request = read(message, asRequest);
      if (request) events.request(userId, request, deliveryOf(message));
    } else if (consumers.get(userId) === consumerTag) {
      consumers.delete(userId);
      events.userQueueCancelled(userId);
    }
  };

  await channel.assertQueue(queue, options);
  await channel.prefetch(lanePrefetch);
  await channel.consume(queue, onLaneMessage);
  await channel.prefetch(userPrefetch);

  return {
    async openUserQueue(userId) {
      if (consumers.has(userId)) return;
      const name = userQueue(config.queuePrefix, userId);
      const consumerTag = `${userId}.${consumersMade++}`;
      consumers.set(userId, consumerTag);
      try {
        await channel.assertQueue(name, userQueueOptions);
        await channel.consume(name, (message) => onUserMessage(userId, consumerTag, message), { consumerTag });
      } catch (error) {
        consumers.delete(userId);
        unavailable(`open the queue of user ${userId}`)(error);
      }
    },
    async deleteUserQueue(userId) {
      consumers.delete(userId);
      await channel.deleteQueue(userQueue(config.queuePrefix, userId)).catch(unavailable('delete a user queue'));
    },
    async consumerCount() {
      const { consumerCount } = await channel.assertQueue(queue, options).catch(unavailable('count consumers'));
      return consumerCount;
    },
    async close() {
      if (!open) return;
      open = false;
      await closeChannel(channel);
    },
  };
};

const asWake = (content: unknown): { userId: string } | undefined => {
  const { userId } = content as { userId?: unknown };
  return typeof userId === 'string' ? { userId } : undefined;
};

const asRequest = (content: unknown): RequestMessage | undefined => {
  const { seq, body, acceptedAt, limits, interruptions } = content as Partial<Record<keyof RequestMessage, unknown>>;
  if (typeof seq !== 'number' || typeof body !== 'string' || typeof acceptedAt !== 'number') return undefined;
  return {
    seq,
    body,
    acceptedAt,
    limits: limits as RunLimits | undefined,
    interruptions: interruptions as number | undefined,
  };
};
