/** The names and arguments of what stands in RabbitMQ. Portable arguments only, the same in 3.10 and 4.x. */
import type { Options } from 'amqplib';

export const laneQueue = (prefix: string, lane: number): string => `${prefix}lane.${lane}`;
export const userQueue = (prefix: string, userId: string): string => `${prefix}user.${userId}`;

/** The last net for a user queue that nobody ends: unused for a day. Far above every timeout of the protocol. */
const userQueueExpiresMs = 86_400_000;

/** The type is said explicitly: the default of some brokers is quorum. */
export const laneQueueOptions = (type: 'classic' | 'quorum'): Options.AssertQueue => ({
  durable: true,
  arguments: { 'x-queue-type': type, 'x-single-active-consumer': true },
});

export const userQueueOptions: Options.AssertQueue = {
  durable: true,
  arguments: { 'x-queue-type': 'classic', 'x-expires': userQueueExpiresMs },
};

/** The `type` property of a message in a lane. */
export const laneMessage = { wake: 'wake', baton: 'baton' } as const;
