/** A channel that consumes queues: the AMQP side of acknowledging. It also drops foreign messages. */
import type { Channel, ChannelModel, ConsumeMessage, Message, Options } from 'amqplib';
import { systemClock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import type { Delivery } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import { ignoreLateDeliveries } from './closed-channel.ts';
import { closeTimeoutMs, isLost } from './connection.ts';

export class ConsumingChannel {
  readonly #model: ChannelModel;
  readonly #channel: Channel;
  readonly #log: Pick<Logger, 'warn'>;
  #isOpen = true;
  #isClosedByUs = false;
  #hasConsumers = false;

  /** @param onClosed called once when the channel is gone; never after `close()`. */
  static async open(
    model: ChannelModel,
    onClosed: (cause: Error | undefined) => void,
    log: Pick<Logger, 'warn'>,
  ): Promise<ConsumingChannel> {
    return new ConsumingChannel(model, await model.createChannel(), onClosed, log);
  }

  private constructor(
    model: ChannelModel,
    channel: Channel,
    onClosed: (cause: Error | undefined) => void,
    log: Pick<Logger, 'warn'>,
  ) {
    ignoreLateDeliveries(model, channel, () => this.#hasConsumers && !this.#isClosedByUs);
    this.#model = model;
    this.#channel = channel;
    this.#log = log;
    let cause: Error | undefined;
    channel.on('error', (error) => {
      cause = error;
    });
    channel.once('close', () => {
      if (!this.#isOpen) return;
      this.#isOpen = false;
      onClosed(cause);
    });
  }

  /** Declares the queue, and returns how many consumers it has. */
  async declare(queue: string, options: Options.AssertQueue): Promise<{ consumerCount: number }> {
    return this.#channel.assertQueue(queue, options);
  }

  /** How many unacknowledged messages each consumer may have that is made after this call. */
  async prefetch(count: number): Promise<void> {
    await this.#channel.prefetch(count);
  }

  /**
   * @param onMessage receives each message, and `undefined` when the server has cancelled the consumer because the queue was
   * deleted. Not called once the channel is closed.
   */
  async consume(
    queue: string,
    onMessage: (message: ConsumeMessage | undefined) => void,
    consumerTag?: string,
  ): Promise<void> {
    const receive = (message: ConsumeMessage | null) => {
      this.#hasConsumers = true;
      if (this.#isOpen) onMessage(message ?? undefined);
    };
    await this.#channel.consume(queue, receive, { consumerTag });
    this.#hasConsumers = true;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the connection is there, with or without the channel. */
  get isConnected(): boolean {
    return !isLost(this.#model);
  }

  /** Keeps the tag alone: the content of a message may be large, and its acknowledgement late. */
  deliveryOf({ fields: { deliveryTag } }: ConsumeMessage): Delivery {
    return { ack: () => this.#ack(deliveryTag) };
  }

  /** Acknowledges a message that Lanekeeper did not send. Nothing is lost: RabbitMQ holds nothing that the ledger does not. */
  dropForeign(message: ConsumeMessage): void {
    const fields = { queue: message.fields.routingKey };
    logSampled(this.#log, 'warn', fields, 'dropped a message that is not from Lanekeeper');
    this.#ack(message.fields.deliveryTag);
  }

  #ack(deliveryTag: number): void {
    try {
      if (this.#isOpen) this.#channel.ack({ fields: { deliveryTag } } as Message);
    } catch {
      // The channel is closing: the server puts the message back.
    }
  }

  /** Ends the channel as if the server had done it: `onClosed` is called. */
  fail(): void {
    this.#isClosedByUs = true;
    this.#channel.close().catch(() => undefined);
  }

  /** Never rejects. Repeating it is harmless. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#isClosedByUs = true;
    try {
      await withTimeout(systemClock, closeTimeoutMs, this.#channel.close(), () => undefined);
    } catch {
      // Closed already, by the server or with its connection.
    }
  }
}
