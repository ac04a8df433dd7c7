/** The names and arguments of the queues in RabbitMQ. Portable arguments only, which mean the same in 3.10 and 4.x. */
import type { Options } from 'amqplib';

export const laneQueue = (prefix: string, lane: number): string => `${prefix}lane.${lane}`;
export const userQueue = (prefix: string, userId: string): string => `${prefix}user.${userId}`;

/** Safety net: RabbitMQ deletes a user queue that was not used for a day. Far above every timeout of the protocol. */
const userQueueExpiresMs = 86_400_000;

/** Names the queue type, because some brokers create quorum queues by default. */
export const laneQueueOptions = (type: 'classic' | 'quorum'): Options.AssertQueue => ({
  durable: true,
  arguments: { 'x-queue-type': type, 'x-single-active-consumer': true },
});

export const userQueueOptions: Options.AssertQueue = {
  durable: true,
  arguments: { 'x-queue-type': 'classic', 'x-expires': userQueueExpiresMs },
};
