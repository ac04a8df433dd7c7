/** The confirm channel that a publisher's calls share. */
import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { Logger } from '../log.ts';
import type { PublishResult } from '../ports.ts';
import { sharePromise } from '../shared-promise.ts';
import type { BrokerConnection } from './connection.ts';

/** After the broker did not answer in time, calls fail immediately for this long, instead of each waiting for its deadline. */
const failFastMs = 500;

/** A confirm channel and what is known of it. */
export type Line = {
  model: ChannelModel;
  channel: ConfirmChannel;
  /** Message ids that came back as unroutable: a return arrives before its confirm. */
  returned: Set<string>;
  /** Resolves when the socket can take more. Set while it cannot. */
  drained: Promise<void> | undefined;
};

/** One call's use of a line. `line` is set once it is open. Calls that share a line share its fate. */
export type LineUse = { opening: Promise<Line>; line: Line | undefined };

export type Message = { queue: string; content: unknown; type?: string };

export const publishOn = async (line: Line, message: Message): Promise<PublishResult> => {
  while (line.drained) await line.drained;
  const messageId = randomUUID();
  return new Promise((resolve, reject) => {
    const hasRoom = line.channel.publish(
      '',
      message.queue,
      Buffer.from(JSON.stringify(message.content)),
      { persistent: true, mandatory: true, contentType: 'application/json', messageId, type: message.type },
      (error) => (error ? reject(error) : resolve(line.returned.delete(messageId) ? 'unroutable' : 'routed')),
    );
    if (!hasRoom) line.drained ??= untilDrained(line);
  });
};

const untilDrained = (line: Line): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      line.channel.off('drain', done).off('close', done);
      line.drained = undefined;
      resolve();
    };
    line.channel.once('drain', done);
    line.channel.once('close', done);
  });

const openLine = async (connection: BrokerConnection, log: Logger): Promise<Line> => {
  const model = await connection.get();
  const channel = await model.createConfirmChannel();
  const line: Line = { model, channel, returned: new Set(), drained: undefined };
  channel.on('return', (message) => line.returned.add(message.properties.messageId));
  channel.on('error', (error) => log.warn({ err: error }, 'the publishing channel failed'));
  return line;
};

/** Closes an unused line when its pending calls are answered, because channels are limited. */
const endLine = async ({ channel }: Line): Promise<void> => {
  try {
    await channel.waitForConfirms();
  } catch {
    // A message was refused, or the channel is closed already.
  }
  await channel.close();
};

/** The line that every call publishes on, replaced when it fails. */
export const createLines = (connection: BrokerConnection, log: Logger) => {
  let brokenUntil = Number.NEGATIVE_INFINITY;
  const shared = sharePromise(async (forget) => {
    const line = await openLine(connection, log);
    line.channel.once('close', forget);
    return line;
  });

  return {
    isBroken: () => performance.now() < brokenUntil,
    use: (): LineUse => ({ opening: shared.get(), line: undefined }),
    /** Gives up a line that failed. Its channel may still be open. */
    giveUp({ opening }: LineUse): void {
      if (shared.current() !== opening) return;
      shared.forget(opening);
      opening.then(endLine).catch(() => undefined);
    },
    /** Gives up a line that is open but silent, with its connection. A line that is still being opened has its own timeout. */
    giveUpSilent({ opening, line }: LineUse): void {
      if (!line || shared.current() !== opening || connection.isBlocked()) return;
      shared.forget(opening);
      brokenUntil = performance.now() + failFastMs;
      connection.drop(line.model);
    },
  };
};
