/** The consumers of the user queues of one lane. */
import type { ConsumeMessage } from 'amqplib';
import type { LaneEvents } from '../ports.ts';
import type { ConsumingChannel } from './consuming-channel.ts';
import { requestOf } from './messages.ts';
import { userQueue, userQueueOptions } from './names.ts';
import { orUnavailable } from './unavailable.ts';

/** Requests of one user in the worker's memory. The others wait in the user queue. */
const userPrefetch = 8;

export class UserQueueConsumers {
  readonly #channel: ConsumingChannel;
  readonly #events: Pick<LaneEvents, 'request' | 'userQueueCancelled'>;
  readonly #queuePrefix: string;
  /** The live consumer of each user queue. The cancel of any other consumer follows from our own delete. */
  readonly #consumerTags = new Map<string, string>();
  #consumersMade = 0;

  private constructor(
    channel: ConsumingChannel,
    events: Pick<LaneEvents, 'request' | 'userQueueCancelled'>,
    queuePrefix: string,
  ) {
    this.#channel = channel;
    this.#events = events;
    this.#queuePrefix = queuePrefix;
  }

  /** On a channel whose other consumers have been made: the prefetch is set for all that follow. */
  static async on(
    channel: ConsumingChannel,
    events: Pick<LaneEvents, 'request' | 'userQueueCancelled'>,
    queuePrefix: string,
  ): Promise<UserQueueConsumers> {
    await channel.prefetch(userPrefetch);
    return new UserQueueConsumers(channel, events, queuePrefix);
  }

  async open(userId: string): Promise<void> {
    if (this.#consumerTags.has(userId)) return;
    const queue = userQueue(this.#queuePrefix, userId);
    const consumerTag = `${userId}.${this.#consumersMade++}`;
    this.#consumerTags.set(userId, consumerTag);
    const receive = (message: ConsumeMessage | undefined) => this.#receive(userId, consumerTag, message);
    const opening = this.#channel
      .declare(queue, userQueueOptions)
      .then(() => this.#channel.consume(queue, receive, consumerTag));
    try {
      await orUnavailable(`open the queue of user ${userId}`, opening);
    } catch (error) {
      this.#consumerTags.delete(userId);
      throw error;
    }
  }

  async delete(userId: string): Promise<void> {
    this.#consumerTags.delete(userId);
    await orUnavailable('delete a user queue', this.#channel.deleteQueue(userQueue(this.#queuePrefix, userId)));
  }

  #receive(userId: string, consumerTag: string, message: ConsumeMessage | undefined): void {
    if (message) {
      const request = requestOf(message);
      if (request) this.#events.request(userId, request, this.#channel.deliveryOf(message));
      else this.#channel.dropForeign(message);
    } else if (this.#consumerTags.get(userId) === consumerTag) {
      this.#consumerTags.delete(userId);
      this.#events.userQueueCancelled(userId);
    }
  }
}
