/** Publishes persistent, mandatory, confirmed messages, each with a deadline, on a connection of its own. */
import { randomUUID } from 'node:crypto';
import type { ConfirmChannel } from 'amqplib';
import type { Config } from '../config.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Publisher, PublishResult } from '../ports.ts';
import { createConnection } from './connection.ts';
import { laneMessage, laneQueue, userQueue } from './names.ts';

export type RabbitPublisher = Publisher & {
  /** Resolves when the broker answers. @throws {BrokerUnavailableError} */
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** After a broker did not answer in time, calls fail at once for this long instead of each waiting for its deadline. */
const failFastMs = 500;

type Line = {
  channel: ConfirmChannel;
  /** Message ids that came back as unroutable: a return arrives before its confirm. */
  returned: Set<string>;
  /** Resolves when the socket takes more; set while it does not. */
  drained: Promise<void> | undefined;
};

type Message = { queue: string; content: unknown; type?: string };

export const createPublisher = (
  config: Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'publishTimeoutMs' | 'heartbeatSeconds'>,
  log: Logger,
): RabbitPublisher => {
  const connection = createConnection(
    {
      url: config.rabbitmqUrl,
      name: 'lanekeeper publisher',
      heartbeatSeconds: config.heartbeatSeconds,
      connectTimeoutMs: config.publishTimeoutMs,
    },
    log,
  );
  let opening: Promise<Line> | undefined;
  let brokenUntil = 0;

  const openLine = async (): Promise<Line> => {
    const model = await connection.get();
    const channel = await model.createConfirmChannel();
    const line: Line = { channel, returned: new Set(), drained: undefined };
    channel.on('return', (message) => line.returned.add(message.properties.messageId));
    channel.on('error', (error) => log.warn({ err: error }, 'the publishing channel failed'));
    channel.once('close', () => {
      opening = undefined;
    });
    return line;
  };

  const line = (): Promise<Line> => {
    opening ??= openLine().catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  /** What a silent broker needs: a new connection, made by whoever publishes next. */
  const giveUpLine = (): void => {
    const silent = opening;
    opening = undefined;
    brokenUntil = Date.now() + failFastMs;
    void silent?.then(
      () => connection.get().then(connection.drop, () => undefined),
      () => undefined,
    );
  };

  const publishOn = async (live: Line, message: Message): Promise<PublishResult> => {
    while (live.drained) await live.drained;
    const messageId = randomUUID();
    return new Promise((resolve, reject) => {
      const more = live.channel.publish(
        '',
        message.queue,
        Buffer.from(JSON.stringify(message.content)),
        { persistent: true, mandatory: true, contentType: 'application/json', messageId, type: message.type },
        (error) => (error ? reject(error) : resolve(live.returned.delete(messageId) ? 'unroutable' : 'routed')),
      );
      if (more) return;
      live.drained ??= new Promise((goOn) => {
        const done = () => {
          live.drained = undefined;
          goOn();
        };
        live.channel.once('drain', done);
        live.channel.once('close', done);
      });
    });
  };

  /** A connection that died while it lay idle, in a frozen function say, shows itself here: once more on a new one. */
  const publishAnew = async (message: Message): Promise<PublishResult> => {
    try {
      return await publishOn(await line(), message);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      opening = undefined;
      return publishOn(await line(), message);
    }
  };

  const publish = async (message: Message): Promise<PublishResult> => {
    if (Date.now() < brokenUntil) throw new BrokerUnavailableError('RabbitMQ did not answer a moment ago.');
    return withDeadline(publishAnew(message));
  };

  const withDeadline = async <T>(work: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        giveUpLine();
        reject(new BrokerUnavailableError(`RabbitMQ did not answer within ${config.publishTimeoutMs} ms.`));
      }, config.publishTimeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      throw new BrokerUnavailableError('RabbitMQ did not take the message.', error);
    } finally {
      clearTimeout(timer);
      work.catch(() => undefined);
    }
  };

  return {
    publishRequest: (userId, message) => publish({ queue: userQueue(config.queuePrefix, userId), content: message }),
    publishWake: (lane, userId) =>
      publish({ queue: laneQueue(config.queuePrefix, lane), content: { userId }, type: laneMessage.wake }),
    publishBaton: (lane) =>
      publish({ queue: laneQueue(config.queuePrefix, lane), content: {}, type: laneMessage.baton }),
    ping: () => withDeadline(line().then(({ channel }) => channel.waitForConfirms())),
    close: () => connection.close(),
  };
};
