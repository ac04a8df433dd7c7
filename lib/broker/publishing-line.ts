/** A confirm channel that a publisher's calls share. */

import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { systemClock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import type { PublishResult } from '../ports.ts';
import { sharePromise } from '../shared-promise.ts';
import { withTimeout } from '../timeout.ts';
import { type BrokerConnection, closeTimeoutMs } from './connection.ts';
import { isRefusal } from './unavailable.ts';

/** After the broker did not answer in time, calls fail immediately for this long, instead of each waiting for its deadline. */
const failFastMs = 500;

/** A confirm channel and what is known of it. */
export type Line = {
  model: ChannelModel;
  channel: ConfirmChannel;
  /** Message ids that came back as unroutable: a return arrives before its confirm. */
  returned: Set<string>;
  /** How many messages were sent, and the newest of them that was answered. */
  sent: number;
  answered: number;
  /** Resolves when the socket can take more. Set while it cannot. */
  drained: Promise<void> | undefined;
  /** Why the server closed the channel, if it did. */
  refusal: Error | undefined;
};

/** One call's use of a line. `line` is set once it is open, with what was sent on it before. Calls that share a line share its fate. */
export type LineUse = { opening: Promise<Line>; line: Line | undefined; sentBefore: number };

export type Message = {
  queue: string;
  body: Buffer;
  type?: string;
  headers?: Record<string, string>;
  persistent: boolean;
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
  line.sent += 1;
  const number = line.sent;
  return new Promise((resolve, reject) => {
    const onAnswer = (error: Error | null): void => {
      if (!error) line.answered = Math.max(line.answered, number);
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
  const returned = new Set<string>();
  const line: Line = { model, channel, returned, sent: 0, answered: 0, drained: undefined, refusal: undefined };
  channel.on('return', (message) => line.returned.add(message.properties.messageId));
  channel.on('error', (error) => {
    // A refusal is logged with its message.
    if (isRefusal(error)) line.refusal = error;
    else logSampled(log, 'warn', { err: error }, 'the publishing channel failed');
  });
  return line;
};

/**
 * Closes an unused line when its pending calls are answered, because channels are limited.
 *
 * @param waitMs by then nobody waits for these answers any more.
 */
export const endLine = async ({ channel }: Line, waitMs = closeTimeoutMs): Promise<void> => {
  try {
    await withTimeout(systemClock, waitMs, channel.waitForConfirms(), () => undefined);
  } catch {
    // A message was refused, or the channel is closed already.
  }
  await channel.close();
};

/** The line of this use, once it is open. */
export const lineOf = async (use: LineUse): Promise<Line> => {
  use.line = await use.opening;
  use.sentBefore = use.line.sent;
  return use.line;
};

/** The line that every call publishes on, replaced when it fails. */
export const createLines = (connection: BrokerConnection, log: Pick<Logger, 'warn'>, publishTimeoutMs: number) => {
  let brokenUntil = Number.NEGATIVE_INFINITY;
  const shared = sharePromise(async (forget) => {
    const line = await openLine(connection, log);
    line.channel.once('close', forget);
    return line;
  });

  return {
    isBroken: () => performance.now() < brokenUntil,
    use: (): LineUse => ({ opening: shared.get(), line: undefined, sentBefore: 0 }),
    /** Gives up a line that failed. Its channel may still be open. */
    giveUp({ opening }: LineUse): void {
      if (shared.current() !== opening) return;
      shared.forget(opening);
      opening.then((line) => endLine(line, publishTimeoutMs)).catch(() => undefined);
    },
    /**
     * Gives up a line that is open but silent, with its connection. A line that is still being opened has its own timeout. Where a
     * later message was answered, only a queue is silent: its node of the cluster is frozen. Then the others keep the connection.
     */
    giveUpSilent({ opening, line, sentBefore }: LineUse): void {
      if (!line || shared.current() !== opening || connection.isBlocked()) return;
      shared.forget(opening);
      if (line.answered > sentBefore) {
        endLine(line, publishTimeoutMs).catch(() => undefined);
        return;
      }
      brokenUntil = performance.now() + failFastMs;
      connection.drop(line.model);
    },
  };
};
