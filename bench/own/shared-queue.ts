/** One durable queue for all users, and workers that take what comes: no order, and no limit of one at a time. */
import { connect } from 'amqplib';
import type { Contender } from '../sides.ts';
import { jobOf, openPublisher } from './amqp.ts';

/** Messages that wait in a worker, which runs them one after another. */
const prefetch = 64;

export const openClient: Contender['openClient'] = async ({ rabbitmqUrl, name }) => {
  const { connection, channel, publish } = await openPublisher(rabbitmqUrl);
  await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'classic' } });
  return {
    send: (job) => publish(name, job),
    close: () => connection.close(),
  };
};

export const openWorker: Contender['openWorker'] = async ({ rabbitmqUrl, name }, _index, work) => {
  const connection = await connect(rabbitmqUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  let last = Promise.resolve();
  await channel.consume(name, (message) => {
    if (!message) return;
    last = last.then(async () => {
      await work(jobOf(message.content));
      channel.ack(message);
    });
  });
  return { close: () => connection.close() };
};
