/** Plain amqplib: a durable queue with a single active consumer for each user, and no ledger. */
import { connect } from 'amqplib';
import type { Contender, Place } from '../sides.ts';
import { type Channel, forEachQueue, jobOf, openPublisher } from './amqp.ts';

const queueOf = (place: Place, user: number): string => `${place.name}.${user}`;
const queuesOf = (place: Place): string[] => Array.from({ length: place.users }, (_, user) => queueOf(place, user));

/** RabbitMQ allows 2,047 channels, and one channel with 10,000 consumers is slow. */
const usersOfChannel = 200;
/** A user's jobs wait in the worker for each other, so that the next one is there when one ends. */
const prefetch = 16;

export const openClient: Contender['openClient'] = async (place) => {
  const { connection, channel, publish } = await openPublisher(place.rabbitmqUrl);
  const single = { durable: true, arguments: { 'x-single-active-consumer': true, 'x-queue-type': 'classic' } };
  await forEachQueue(queuesOf(place), (queue) => channel.assertQueue(queue, single));
  return {
    send: (job) => publish(queueOf(place, job.user), job),
    close: () => connection.close(),
  };
};

export const openWorker: Contender['openWorker'] = async (place, index, work) => {
  const connection = await connect(place.rabbitmqUrl, { noDelay: true });
  const consume = async (channel: Channel, queue: string): Promise<void> => {
    let last = Promise.resolve();
    await channel.consume(queue, (message) => {
      if (!message) return;
      last = last.then(async () => {
        await work(jobOf(message.content));
        channel.ack(message);
      });
    });
  };
  // The first consumer of a queue is the active one. From both ends, each worker gets about half.
  const queues = index % 2 === 0 ? queuesOf(place) : queuesOf(place).reverse();
  for (let from = 0; from < queues.length; from += usersOfChannel) {
    const channel = await connection.createChannel();
    await channel.prefetch(prefetch);
    await Promise.all(queues.slice(from, from + usersOfChannel).map((queue) => consume(channel, queue)));
  }
  return { close: () => connection.close() };
};
