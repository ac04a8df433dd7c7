/** What the two contenders on plain RabbitMQ have in common. No ledger: RabbitMQ alone holds the jobs. */
import { type Channel, type ConfirmChannel, connect } from 'amqplib';
import type { Job } from '../sides.ts';

/** @param persistent whether the jobs must survive a restart of RabbitMQ. */
export const openPublisher = async (url: string, { persistent = true } = {}) => {
  const connection = await connect(url, { noDelay: true });
  const channel: ConfirmChannel = await connection.createConfirmChannel();
  const publish = (queue: string, job: Job): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { persistent, mandatory: true };
      channel.publish('', queue, Buffer.from(JSON.stringify(job)), options, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  return { connection, channel, publish };
};

/** A client's frame window must not be one round trip for each queue. */
const declaresAtOnce = 200;

/** Declares queues, or does anything else for each of them, some at a time. */
export const forEachQueue = async (queues: string[], act: (queue: string) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < queues.length; from += declaresAtOnce)
    await Promise.all(queues.slice(from, from + declaresAtOnce).map(act));
};

export const jobOf = (content: Buffer): Job => JSON.parse(content.toString());

export type { Channel };
