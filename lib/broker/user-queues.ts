/** The user queues of one lane hold: declared on one channel, consumed on others, none of them the lane's. */
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { UserQueueChannel, UserQueueEvents } from '../ports.ts';
import type { BrokerConnection } from './connection.ts';
import { type ChannelLimit, DeclaringChannel } from './declaring-channel.ts';
import { userQueue, userQueueOptions } from './names.ts';
import { refused } from './unavailable.ts';
import { UserQueueConsumers } from './user-queue-consumers.ts';

/** `lanes`: the connection of the lane itself. */
type UserQueueConnections = { lanes: BrokerConnection; consumers: BrokerConnection; channelLimit: ChannelLimit };

/** Somebody may delete a queue between its declare and its consume, or the channel may close because of another user. */
const openTries = 3;

export class UserQueues implements UserQueueChannel {
  readonly #queuePrefix: string;
  readonly #declaring: DeclaringChannel;
  readonly #consumers: UserQueueConsumers;
  readonly #events: UserQueueEvents;
  readonly #opening = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(
    connections: UserQueueConnections,
    events: UserQueueEvents,
    queuePrefix: string,
    log: Pick<Logger, 'warn'>,
  ) {
    this.#queuePrefix = queuePrefix;
    this.#declaring = new DeclaringChannel(connections.lanes, connections.channelLimit);
    this.#events = events;
    this.#consumers = new UserQueueConsumers(connections.consumers, events, log);
  }

  open(userId: string): Promise<void> {
    const current = this.#opening.get(userId);
    if (current) return current;
    const opening = this.#open(userId).finally(() => this.#opening.delete(userId));
    this.#opening.set(userId, opening);
    return opening;
  }

  async #open(userId: string): Promise<void> {
    const queue = userQueue(this.#queuePrefix, userId);
    for (let tries = 0; tries < openTries; tries += 1) {
      if (this.#consumers.has(userId)) return;
      await this.#unlessClosed(() => this.#declaring.declare(queue, userQueueOptions));
      if ((await this.#unlessClosed(() => this.#consumers.consume(userId, queue))) === 'consumed') return;
      // Its messages may be gone with it [R6].
      this.#events.consumerLost(userId);
    }
    throw refused(`let ${queue} be consumed`, `the queue or its channel was gone ${openTries} times`);
  }

  async delete(userId: string): Promise<void> {
    await this.#opening.get(userId)?.catch(() => undefined);
    const queue = userQueue(this.#queuePrefix, userId);
    await this.#unlessClosed(() => this.#consumers.whileDeleting(userId, () => this.#declaring.delete(queue)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#declaring.close(), this.#consumers.close()]);
  }

  async #unlessClosed<T>(work: () => Promise<T>): Promise<T> {
    const closed = 'The user queues of this lane are closed.';
    if (this.#isClosed) throw new BrokerUnavailableError(closed);
    try {
      return await work();
    } catch (error) {
      // What failed then failed because of it.
      if (this.#isClosed) throw new BrokerUnavailableError(closed, error);
      throw error;
    }
  }
}
