/**
 * The consumers of the user queues of one lane hold. Many share one channel.
 *
 * RabbitMQ closes the channel on which it refuses a consumer, and so ends the other consumers on it. Therefore a user that was
 * refused is tried out on a channel of its own before the next attempt. While there is such a user, so is every user whose
 * consumer has not been accepted before: what is refused to one may be refused to many.
 */
import type { ConsumeMessage } from 'amqplib';
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { UserQueueEvents } from '../ports.ts';
import { createSequence } from '../sequence.ts';
import type { BrokerConnection } from './connection.ts';
import type { ConsumingChannel } from './consuming-channel.ts';
import { requestOf } from './messages.ts';
import { basicConsume, isRefusalOf, notFound, refused } from './unavailable.ts';
import { consumeInTime, openUserChannel } from './user-channel.ts';

/** Requests of one user in the worker's memory. The others wait in the user queue. */
const userPrefetch = 8;
/** Some brokers allow 1,000 consumers on a channel. Fewer mean that fewer users notice when a channel closes. */
const consumersOnChannel = 250;

type SharedChannel = { opening: Promise<ConsumingChannel>; consumers: number };

type Consumer = {
  tag: string;
  on: SharedChannel;
  /** Whether RabbitMQ has accepted it. */
  isLive: boolean;
  /** While we delete the queue ourselves, the cancel that follows is no loss. */
  isDeleting: boolean;
};

const closeWhenOpen = ({ opening }: SharedChannel): Promise<void> =>
  opening.then(
    (channel) => channel.close(),
    () => undefined,
  );

export class UserQueueConsumers {
  readonly #connection: BrokerConnection;
  readonly #events: UserQueueEvents;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #consumers = new Map<string, Consumer>();
  readonly #channels = new Set<SharedChannel>();
  readonly #refusedUsers = new Set<string>();
  readonly #acceptedUsers = new Set<string>();
  /** One after the other: a connection has few channels. */
  readonly #tryInTurn = createSequence();
  #consumersMade = 0;
  #isClosed = false;

  constructor(connection: BrokerConnection, events: UserQueueEvents, log: Pick<Logger, 'warn'>) {
    this.#connection = connection;
    this.#events = events;
    this.#log = log;
  }

  has(userId: string): boolean {
    return this.#consumers.get(userId)?.isLive ?? false;
  }

  /**
   * Consumes a queue that has just been declared. `lost`: the queue or the channel was gone before the consumer was accepted.
   *
   * @throws {BrokerRefusedError} {BrokerUnavailableError}
   */
  async consume(userId: string, queue: string): Promise<'consumed' | 'lost'> {
    const isDoubtful = this.#refusedUsers.size > 0 && !this.#acceptedUsers.has(userId);
    try {
      if (isDoubtful) await this.#tryInTurn(() => this.#tryOut(queue));
      if (!(await this.#consumeShared(userId, queue))) return 'lost';
    } catch (error) {
      if (!isRefusalOf(error, basicConsume)) throw error;
      this.#acceptedUsers.delete(userId);
      this.#refusedUsers.add(userId);
      if (error.code === notFound) return 'lost';
      throw refused(`let ${queue} be consumed`, error);
    }
    this.#refusedUsers.delete(userId);
    this.#acceptedUsers.add(userId);
    return 'consumed';
  }

  /** @param deleteQueue deletes the user's queue, and with it the consumer. */
  async whileDeleting(userId: string, deleteQueue: () => Promise<void>): Promise<void> {
    const consumer = this.#consumers.get(userId);
    if (consumer) consumer.isDeleting = true;
    try {
      await deleteQueue();
    } catch (error) {
      if (consumer) consumer.isDeleting = false;
      if (consumer && this.#consumers.get(userId) !== consumer) this.#reportLost(userId);
      throw error;
    }
    if (consumer) this.#forget(userId, consumer);
    this.#refusedUsers.delete(userId);
    this.#acceptedUsers.delete(userId);
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#consumers.clear();
    await Promise.all([...this.#channels].map(closeWhenOpen));
  }

  /** What the queue delivers meanwhile returns to it in place. */
  async #tryOut(queue: string): Promise<void> {
    const channel = await openUserChannel(this.#connection, 1, () => undefined, this.#log);
    try {
      await consumeInTime(channel, queue, () => undefined);
    } finally {
      await channel.close();
    }
  }

  /** False when the channel or the queue was gone before the consumer was accepted. */
  async #consumeShared(userId: string, queue: string): Promise<boolean> {
    const on = this.#channelWithRoom();
    const consumer: Consumer = { tag: `${userId}.${this.#consumersMade++}`, on, isLive: false, isDeleting: false };
    on.consumers += 1;
    this.#consumers.set(userId, consumer);
    try {
      const channel = await on.opening;
      await consumeInTime(channel, queue, this.#receiver(userId, consumer, channel), consumer.tag);
      consumer.isLive = channel.isOpen && this.#consumers.get(userId) === consumer;
      return consumer.isLive;
    } catch (error) {
      this.#forget(userId, consumer);
      if (error instanceof BrokerRefusedError) this.#giveUp(on);
      if (error instanceof BrokerUnavailableError || isRefusalOf(error, basicConsume)) throw error;
      // The channel closed because of another user. This one may be refused next.
      this.#acceptedUsers.delete(userId);
      return false;
    }
  }

  #channelWithRoom(): SharedChannel {
    for (const shared of this.#channels) if (shared.consumers < consumersOnChannel) return shared;
    const lost = () => this.#channelLost(shared);
    const opening = openUserChannel(this.#connection, userPrefetch, lost, this.#log);
    const shared: SharedChannel = { opening, consumers: 0 };
    this.#channels.add(shared);
    opening.catch(lost);
    return shared;
  }

  /** A channel that cannot be opened, or does not answer. */
  #giveUp(shared: SharedChannel): void {
    this.#channelLost(shared);
    void closeWhenOpen(shared);
  }

  #channelLost(shared: SharedChannel): void {
    this.#channels.delete(shared);
    for (const [userId, consumer] of this.#consumers) {
      if (consumer.on === shared) this.#consumerLost(userId, consumer);
    }
  }

  #receiver(userId: string, consumer: Consumer, channel: ConsumingChannel) {
    return (message: ConsumeMessage | undefined): void => {
      const request = message && requestOf(message);
      if (!message) {
        this.#consumerLost(userId, consumer);
      } else if (!request) {
        channel.dropForeign(message);
      } else if (this.#consumers.get(userId) === consumer) {
        this.#events.request(userId, request, channel.deliveryOf(message));
      } else {
        // Sent before we deleted the queue. Unacknowledged, it would count against the broker's consumer_timeout.
        channel.deliveryOf(message).ack();
      }
    };
  }

  #consumerLost(userId: string, consumer: Consumer): void {
    const isLoss = consumer.isLive && !consumer.isDeleting && this.#consumers.get(userId) === consumer;
    this.#forget(userId, consumer);
    if (isLoss) this.#reportLost(userId);
  }

  #forget(userId: string, consumer: Consumer): void {
    if (this.#consumers.get(userId) !== consumer) return;
    this.#consumers.delete(userId);
    consumer.on.consumers -= 1;
  }

  #reportLost(userId: string): void {
    if (!this.#isClosed) this.#events.consumerLost(userId);
  }
}
