/** Publishes persistent, mandatory, confirmed messages, each with a deadline, on a connection of its own. */
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Publisher, PublishResult } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import { createConnection } from './connection.ts';
import { laneMessage } from './messages.ts';
import { laneQueue, userQueue } from './names.ts';
import { createLines, type Line, type LineUse, type Message, publishOn } from './publishing-line.ts';

export type RabbitPublisher = Publisher & {
  /** Resolves when the broker answers. @throws {BrokerUnavailableError} */
  ping(): Promise<void>;
  close(): Promise<void>;
};

export const createPublisher = (
  config: Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'publishTimeoutMs' | 'heartbeatSeconds'>,
  log: Logger,
): RabbitPublisher => {
  const { rabbitmqUrl: url, heartbeatSeconds, queuePrefix, publishTimeoutMs } = config;
  const connection = createConnection({ url, name: 'lanekeeper publisher', heartbeatSeconds }, log);
  const lines = createLines(connection, log);

  const workOn = async <T>(use: LineUse, work: (line: Line) => Promise<T>): Promise<T> => {
    use.line = await use.opening;
    return work(use.line);
  };

  /** A line that died while it was idle, for instance in a frozen function, is noticed here: tries once more on a new one. */
  const withLine = async <T>(onUse: (use: LineUse) => void, work: (line: Line) => Promise<T>): Promise<T> => {
    const nextUse = (): LineUse => {
      const use = lines.use();
      onUse(use);
      return use;
    };
    const first = nextUse();
    try {
      return await workOn(first, work);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      lines.giveUp(first);
      return workOn(nextUse(), work);
    }
  };

  const inTime = async <T>(work: (line: Line) => Promise<T>): Promise<T> => {
    if (connection.isBlocked()) {
      throw new BrokerUnavailableError('RabbitMQ accepts no messages: it has raised a resource alarm.');
    }
    if (lines.isBroken()) throw new BrokerUnavailableError('RabbitMQ did not answer a moment ago.');
    let latest: LineUse | undefined;
    const working = withLine((use) => {
      latest = use;
    }, work);
    try {
      return await withTimeout(systemClock, publishTimeoutMs, working, () => {
        if (latest) lines.giveUpSilent(latest);
        throw new BrokerUnavailableError(`RabbitMQ did not answer within ${publishTimeoutMs} ms.`);
      });
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      throw new BrokerUnavailableError('RabbitMQ did not take the message.', error);
    }
  };

  const publish = (message: Message): Promise<PublishResult> => inTime((line) => publishOn(line, message));

  return {
    publishRequest: (userId, message) => publish({ queue: userQueue(queuePrefix, userId), content: message }),
    publishWake: (lane, userId) =>
      publish({ queue: laneQueue(queuePrefix, lane), content: { userId }, type: laneMessage.wake }),
    publishBaton: (lane) => publish({ queue: laneQueue(queuePrefix, lane), content: {}, type: laneMessage.baton }),
    ping: () => inTime(async ({ channel }) => void (await channel.checkExchange('amq.direct'))),
    close: () => connection.close(),
  };
};
