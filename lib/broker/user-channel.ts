/** Opening a channel for user queues and consuming on it, with a deadline and an error that says how far it reaches. */
import type { ConsumeMessage } from 'amqplib';
import { systemClock } from '../clock.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { withTimeout } from '../timeout.ts';
import { type BrokerConnection, isLost } from './connection.ts';
import { ConsumingChannel } from './consuming-channel.ts';
import { refused } from './unavailable.ts';

/** A queue whose node has just vanished may not answer. The calls for other users wait behind it for this long at most. */
export const answerTimeoutMs = 5_000;

/** @throws {BrokerRefusedError} when only channels are missing; {BrokerUnavailableError} */
export const openUserChannel = async (
  connection: BrokerConnection,
  prefetch: number,
  onClosed: () => void,
  log: Pick<Logger, 'warn'>,
): Promise<ConsumingChannel> => {
  const what = 'open a channel for user queues';
  const model = await connection.get();
  try {
    const channel = await ConsumingChannel.open(model, onClosed, log);
    await channel.prefetch(prefetch);
    return channel;
  } catch (error) {
    if (isLost(model)) throw new BrokerUnavailableError(`RabbitMQ did not ${what}.`, error);
    throw refused(what, error);
  }
};

/**
 * @throws the server's own error when the channel closed, because of this queue or of another; {BrokerRefusedError} when there
 * was no answer in time; {BrokerUnavailableError} when the connection is gone
 */
export const consumeInTime = async (
  channel: ConsumingChannel,
  queue: string,
  receive: (message: ConsumeMessage | undefined) => void,
  consumerTag?: string,
): Promise<void> => {
  try {
    await withTimeout(systemClock, answerTimeoutMs, channel.consume(queue, receive, consumerTag), () => {
      throw refused(`let ${queue} be consumed`, `no answer within ${answerTimeoutMs} ms`);
    });
  } catch (error) {
    if (channel.isConnected) throw error;
    throw new BrokerUnavailableError(`RabbitMQ did not let ${queue} be consumed.`, error);
  }
};
