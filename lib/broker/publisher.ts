/** Publishes mandatory, confirmed messages, each with a deadline, on a connection of its own. */
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import type { Hints, Publisher, PublishResult } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import { traceparentHeader } from '../traceparent.ts';
import type { RequestMessage } from '../types.ts';
import { createConnection } from './connection.ts';
import { createHintSender } from './hint-sender.ts';
import { laneMessage } from './messages.ts';
import { laneQueue, userQueue } from './names.ts';
import { urlsInRandomOrder } from './open-connection.ts';
import { createLines, type Line, type LineUse, lineOf, type Message, openLine, publishOn } from './publishing-line.ts';
import { notTaken, refusedMessage, SuspectMessages } from './suspect-messages.ts';

export type RabbitPublisher = Publisher & {
  /** On the same connection. */
  hints: Hints;
  /** Resolves when the broker answers. @throws {BrokerUnavailableError} */
  ping(): Promise<void>;
  close(): Promise<void>;
};

const outageTexts = { away: 'RabbitMQ refused a message', back: 'RabbitMQ takes all messages again' };
/** Lines that are closed one after the other because of other messages, before this one was sent on any of them. */
const maxLines = 5;

/** Only a baton survives a restart of RabbitMQ: requests and wakes are in MongoDB, and a broker that writes them to its disk confirms them late. */
const messageFor = (
  queue: string,
  content: unknown,
  { type, headers }: Pick<Message, 'type' | 'headers'>,
): Message => ({
  queue,
  body: Buffer.from(JSON.stringify(content)),
  type,
  headers,
  persistent: type === laneMessage.baton,
});

const requestFor = (queue: string, { traceparent, ...content }: RequestMessage): Message =>
  messageFor(queue, content, { headers: traceparent === undefined ? undefined : { [traceparentHeader]: traceparent } });

export const createPublisher = (
  config: Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'publishTimeoutMs' | 'heartbeatSeconds'>,
  log: Logger,
): RabbitPublisher => {
  const { rabbitmqUrl, heartbeatSeconds, queuePrefix, publishTimeoutMs } = config;
  const urls = urlsInRandomOrder(rabbitmqUrl);
  const connection = createConnection({ urls, name: 'lanekeeper publisher', heartbeatSeconds }, log);
  const lines = createLines(connection, log, publishTimeoutMs);
  const suspects = new SuspectMessages(() => openLine(connection, log));
  // Never over: whoever is refused now and then would log the beginning and the end of an outage each time.
  const refusals = watchOutages(log, outageTexts);

  /** A line that died while it was idle, for instance in a frozen function, is noticed here: tries once more on a new one. */
  const withLine = async <T>(onUse: (use: LineUse) => void, work: (line: Line) => Promise<T>): Promise<T> => {
    for (let linesUsed = 1; ; linesUsed += 1) {
      const use = lines.use();
      onUse(use);
      try {
        return await work(await lineOf(use));
      } catch (error) {
        if (error instanceof BrokerUnavailableError) throw error;
        lines.giveUp(use);
        if (linesUsed >= (use.line?.refusal ? maxLines : 2)) throw error;
      }
    }
  };

  const inTime = async <T>(work: (onUse: (use: LineUse) => void) => Promise<T>): Promise<T> => {
    if (connection.isBlocked()) {
      throw new BrokerUnavailableError('RabbitMQ accepts no messages: it has raised a resource alarm.');
    }
    if (lines.isBroken()) throw new BrokerUnavailableError('RabbitMQ did not answer a moment ago.');
    let latest: LineUse | undefined;
    const working = work((use) => {
      latest = use;
    });
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

  const send = async (message: Message, onUse: (use: LineUse) => void): Promise<PublishResult> => {
    if (suspects.includes(message)) return suspects.publish(message);
    const attempt = await withLine(onUse, (line) => publishOn(line, message));
    if (attempt === 'suspect') return suspects.publish(message);
    if (attempt === 'nacked') throw refusedMessage(message, notTaken);
    return attempt;
  };

  const publish = async (message: Message): Promise<PublishResult> => {
    try {
      return await inTime((onUse) => send(message, onUse));
    } catch (error) {
      if (error instanceof BrokerRefusedError) refusals.failed(error);
      throw error;
    }
  };

  return {
    publishRequest: (userId, message) => publish(requestFor(userQueue(queuePrefix, userId), message)),
    publishWake: (lane, userId) =>
      publish(messageFor(laneQueue(queuePrefix, lane), { userId }, { type: laneMessage.wake })),
    publishBaton: (lane) => publish(messageFor(laneQueue(queuePrefix, lane), {}, { type: laneMessage.baton })),
    ping: () =>
      inTime((onUse) => withLine(onUse, async ({ channel }) => void (await channel.checkExchange('amq.direct')))),
    hints: createHintSender(connection, config, log),
    close: () => connection.close(),
  };
};
