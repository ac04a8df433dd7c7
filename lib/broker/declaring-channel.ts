/**
 * Declares and deletes user queues on a channel without consumers: a refusal closes it and harms nobody.
 *
 * It belongs to the lanes' connection. A worker that RabbitMQ has cut off from its lanes must not declare a queue that the next
 * owner has deleted already: nobody would end that queue.
 */
import type { Channel, ChannelModel, Options } from 'amqplib';
import { systemClock } from '../clock.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { createSequence } from '../sequence.ts';
import { withTimeout } from '../timeout.ts';
import { type BrokerConnection, closeTimeoutMs, isLost } from './connection.ts';
import { refused } from './unavailable.ts';
import { answerTimeoutMs } from './user-channel.ts';

/** A channel that nobody used for this long is closed: a connection has few, and a lane that runs needs none. */
const idleMs = 2_000;

/** A limit of channels for one RabbitMQ user does not refuse a channel: it ends the connection, and the lanes with it. */
const notAllowed = 530;
/** How long no channel is opened for user queues after that. Lanes come first, and the users are served from the ledger. */
const pauseMs = 600_000;

/** Shared by the lanes of one worker. */
export const watchChannelLimit = () => {
  let pausedUntil = Number.NEGATIVE_INFINITY;
  return {
    isReached: (): boolean => performance.now() < pausedUntil,
    /** Opens a channel, and notes when that is what ended the connection. */
    async open(model: ChannelModel): Promise<Channel> {
      const onClose = (cause?: { code?: number }): void => {
        if (cause?.code === notAllowed) pausedUntil = performance.now() + pauseMs;
      };
      model.once('close', onClose);
      try {
        return await model.createChannel();
      } finally {
        // The call is rejected a moment before the connection says why.
        setImmediate(() => model.off('close', onClose));
      }
    },
  };
};

export type ChannelLimit = ReturnType<typeof watchChannelLimit>;

export class DeclaringChannel {
  readonly #connection: BrokerConnection;
  readonly #limit: ChannelLimit;
  readonly #inTurn = createSequence();
  #channel: Channel | undefined;
  #callsLeft = 0;
  #cancelIdle = () => {};
  #isClosed = false;

  constructor(connection: BrokerConnection, limit: ChannelLimit) {
    this.#connection = connection;
    this.#limit = limit;
  }

  /** @throws {BrokerRefusedError} {BrokerUnavailableError} */
  declare(queue: string, options: Options.AssertQueue): Promise<void> {
    return this.#call(`declare ${queue}`, (channel) => channel.assertQueue(queue, options));
  }

  /** Succeeds when there is no such queue. @throws {BrokerRefusedError} {BrokerUnavailableError} */
  delete(queue: string, options: Options.DeleteQueue = {}): Promise<void> {
    return this.#call(`delete ${queue}`, (channel) => channel.deleteQueue(queue, options));
  }

  /** Never rejects. Every call that waits is rejected; no declare takes effect after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#leave();
  }

  /** One call after the other, so that a refusal belongs to one call and takes no other along. */
  async #call(what: string, call: (channel: Channel) => Promise<unknown>): Promise<void> {
    this.#callsLeft += 1;
    this.#cancelIdle();
    try {
      await this.#inTurn(() => this.#callNow(what, call));
    } finally {
      this.#callsLeft -= 1;
      if (this.#callsLeft === 0 && !this.#isClosed)
        this.#cancelIdle = systemClock.after(idleMs, () => void this.#leave());
    }
  }

  async #callNow(what: string, call: (channel: Channel) => Promise<unknown>): Promise<void> {
    const model = await this.#connection.get();
    this.#checkOpen();
    try {
      await withTimeout(systemClock, answerTimeoutMs, this.#open(model).then(call), () => {
        throw new Error(`RabbitMQ did not answer within ${answerTimeoutMs} ms.`);
      });
    } catch (error) {
      void this.#leave();
      if (isLost(model)) throw new BrokerUnavailableError(`RabbitMQ did not ${what}.`, error);
      throw refused(what, error);
    }
  }

  async #open(model: ChannelModel): Promise<Channel> {
    if (this.#channel) return this.#channel;
    if (this.#limit.isReached())
      throw new Error("the limit of this RabbitMQ user's channels (max-channels) is reached");
    const channel = await this.#limit.open(model);
    // The call that made the server close the channel learns the reason.
    channel.on('error', () => undefined);
    channel.once('close', () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    this.#channel = channel;
    if (this.#isClosed) void this.#leave();
    this.#checkOpen();
    return channel;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new BrokerUnavailableError('The user queues of this lane are closed.');
  }

  async #leave(): Promise<void> {
    this.#cancelIdle();
    const channel = this.#channel;
    this.#channel = undefined;
    try {
      if (channel) await withTimeout(systemClock, closeTimeoutMs, channel.close(), () => undefined);
    } catch {
      // Closed already, by the server or with its connection.
    }
  }
}
