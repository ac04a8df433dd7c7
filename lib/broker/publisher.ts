/** Publishes persistent, mandatory, confirmed messages, each with a deadline, on a connection of its own. */
import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { Config } from '../config.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Publisher, PublishResult } from '../ports.ts';
import { type BrokerConnection, createConnection } from './connection.ts';
import { laneMessage, laneQueue, userQueue } from './names.ts';

export type RabbitPublisher = Publisher & {
  /** Resolves when the broker answers. @throws {BrokerUnavailableError} */
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** After a broker did not answer in time, calls fail at once for this long instead of each waiting for its deadline. */
const failFastMs = 500;

/** A confirm channel and what is known of it. */
type Line = {
  model: ChannelModel;
  channel: ConfirmChannel;
  /** Message ids that came back as unroutable: a return arrives before its confirm. */
  returned: Set<string>;
  /** Resolves when the socket takes more; set while it does not. */
  drained: Promise<void> | undefined;
};

/** A line from the moment it is being opened. Calls that share it share its fate. */
type Opening = { line: Promise<Line>; opened: Line | undefined };

type Message = { queue: string; content: unknown; type?: string };

const openLine = async (connection: BrokerConnection, log: Logger): Promise<Line> => {
  const model = await connection.get();
  const channel = await model.createConfirmChannel();
  const line: Line = { model, channel, returned: new Set(), drained: undefined };
  channel.on('return', (message) => line.returned.add(message.properties.messageId));
  channel.on('error', (error) => log.warn({ err: error }, 'the publishing channel failed'));
  return line;
};

const publishOn = async (line: Line, message: Message): Promise<PublishResult> => {
  while (line.drained) await line.drained;
  const messageId = randomUUID();
  return new Promise((resolve, reject) => {
    const more = line.channel.publish(
      '',
      message.queue,
      Buffer.from(JSON.stringify(message.content)),
      { persistent: true, mandatory: true, contentType: 'application/json', messageId, type: message.type },
      (error) => (error ? reject(error) : resolve(line.returned.delete(messageId) ? 'unroutable' : 'routed')),
    );
    if (more) return;
    line.drained ??= new Promise((goOn) => {
      const done = () => {
        line.channel.off('drain', done).off('close', done);
        line.drained = undefined;
        goOn();
      };
      line.channel.once('drain', done);
      line.channel.once('close', done);
    });
  });
};

/** Closes a line that nobody takes any more, once the calls that still wait on it are answered: a connection has few channels. */
const endLine = async ({ channel }: Line): Promise<void> => {
  try {
    await channel.waitForConfirms();
  } catch {
    // Refused, or closed already.
  }
  await channel.close();
};

/** The line that everybody publishes on, replaced when it fails. */
const createLines = (connection: BrokerConnection, log: Logger) => {
  let current: Opening | undefined;
  let brokenUntil = 0;

  const forget = (opening: Opening): void => {
    if (current === opening) current = undefined;
  };

  const open = (): Opening => {
    const opening: Opening = { line: openLine(connection, log), opened: undefined };
    opening.line.then(
      (line) => {
        opening.opened = line;
        line.channel.once('close', () => forget(opening));
      },
      () => forget(opening),
    );
    return opening;
  };

  return {
    isBroken: () => Date.now() < brokenUntil,
    use(): Opening {
      current ??= open();
      return current;
    },
    /** One that failed may be open still. */
    giveUp(opening: Opening): void {
      if (current !== opening) return;
      current = undefined;
      opening.line.then(endLine).catch(() => undefined);
    },
    /** One that is open but silent is given up, with its connection. One that is still being opened has its own time limit. */
    giveUpSilent(opening: Opening): void {
      if (!opening.opened || current !== opening || connection.isBlocked()) return;
      current = undefined;
      brokenUntil = Date.now() + failFastMs;
      connection.drop(opening.opened.model);
    },
  };
};

export const createPublisher = (
  config: Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'publishTimeoutMs' | 'heartbeatSeconds'>,
  log: Logger,
): RabbitPublisher => {
  const { rabbitmqUrl: url, heartbeatSeconds, queuePrefix, publishTimeoutMs } = config;
  const connection = createConnection({ url, name: 'lanekeeper publisher', heartbeatSeconds }, log);
  const lines = createLines(connection, log);

  /** Runs `work` on the line. One that died while it lay idle, in a frozen function say, shows itself here: once more, on a new one. */
  const withLine = async <T>(used: (opening: Opening) => void, work: (line: Line) => Promise<T>): Promise<T> => {
    const first = lines.use();
    used(first);
    try {
      return await work(await first.line);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      lines.giveUp(first);
      const second = lines.use();
      used(second);
      return work(await second.line);
    }
  };

  const inTime = async <T>(work: (line: Line) => Promise<T>): Promise<T> => {
    if (connection.isBlocked()) throw new BrokerUnavailableError('RabbitMQ takes no messages: it has raised an alarm.');
    if (lines.isBroken()) throw new BrokerUnavailableError('RabbitMQ did not answer a moment ago.');
    let opening: Opening | undefined;
    const working = withLine((used) => {
      opening = used;
    }, work);
    working.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (opening) lines.giveUpSilent(opening);
        reject(new BrokerUnavailableError(`RabbitMQ did not answer within ${publishTimeoutMs} ms.`));
      }, publishTimeoutMs);
    });
    try {
      return await Promise.race([working, late]);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      throw new BrokerUnavailableError('RabbitMQ did not take the message.', error);
    } finally {
      clearTimeout(timer);
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
