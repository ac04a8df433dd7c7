/** A confirm channel that a publisher's calls share. */

import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import type { PublishResult } from '../ports.ts';
import { sharePromise } from '../shared-promise.ts';
import type { BrokerConnection } from './connection.ts';
import { isRefusal } from './unavailable.ts';

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
  /** Why the server closed the channel, if it did. */
  refusal: Error | undefined;
};

/** One call's use of a line. `line` is set once it is open. Calls that share a line share its fate. */
export type LineUse = { opening: Promise<Line>; line: Line | undefined };

export type Message = {
  queue: string;
  body: Buffer;
  type?: string;
  persistent: boolean;
  headers?: Record<string, string>;
};

/**
 * What became of a message. `nacked`: its queue did not take it. `suspect`: the server closed the channel, because of this
 * message or of another.
 */
export type Attempt = PublishResult | 'nacked' | 'suspect';

/** amqplib's own text: it has no other sign of a nack. */
const nackText = 'message nacked';

/** Rejects when the line is gone, with or without the message. */
export const publishOn = async (line: Line, { queue, body, ...own }: Message): Promise<Attempt> => {
  while (line.drained) await line.drained;
  const messageId = randomUUID();
  return new Promise((resolve, reject) => {
    const onAnswer = (error: Error | null): void => {
      if (!error) resolve(line.returned.delete(messageId) ? 'unroutable' : 'routed');
      else if (error.message === nackText) resolve('nacked');
      else if (line.refusal) resolve('suspect');
      else reject(error);
    };
    const options = { ...own, mandatory: true, contentType: 'application/json', messageId };
    if (!line.channel.publish('', queue, body, options, onAnswer)) line.drained ??= untilDrained(line);
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

export const openLine = async (connection: BrokerConnection, log: Pick<Logger, 'warn'>): Promise<Line> => {
  const model = await connection.get();
  const channel = await model.createConfirmChannel();
  const line: Line = { model, channel, returned: new Set(), drained: undefined, refusal: undefined };
  channel.on('return', (message) => line.returned.add(message.properties.messageId));
  channel.on('error', (error) => {
    // A refusal is logged with its message.
    if (isRefusal(error)) line.refusal = error;
    else logSampled(log, 'warn', { err: error }, 'the publishing channel failed');
  });
  return line;
};

/** Closes an unused line when its pending calls are answered, because channels are limited. */
export const endLine = async ({ channel }: Line): Promise<void> => {
  try {
    await channel.waitForConfirms();
  } catch {
    // A message was refused, or the channel is closed already.
  }
  await channel.close();
};

/** The line that every call publishes on, replaced when it fails. */
export const createLines = (connection: BrokerConnection, log: Pick<Logger, 'warn'>) => {
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
