/** The channel of one lane in the stand-in for RabbitMQ. */
import { laneQueue } from '../broker/names.ts';
import { BrokerRefusedError } from '../errors.ts';
import type { Delivery, LaneChannel, LaneEvents } from '../ports.ts';
import { createMemoryChannel, type MemoryChannel, type Server, unavailable } from './memory-channel.ts';
import type { Consumer, Content } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';

export type MemoryLane = {
  channel: MemoryChannel;
  laneChannel: LaneChannel;
  /** Declares and consumes the lane. */
  start(): Promise<void>;
  /** Whether the channel is open on the server and its consumer is the active one of the lane. */
  isActive(): boolean;
};

export const createMemoryLane = (
  server: Server,
  step: Step,
  lane: number,
  events: LaneEvents,
  onNotFound: () => void,
): MemoryLane => {
  const { queues } = server;
  const queue = laneQueue('', lane);
  const channel = createMemoryChannel(server, step, queue, (cause) => events.closed(cause));
  let consumer: Consumer | undefined;

  const receive = (content: Content, delivery: Delivery): void => {
    if (content.type === 'baton') events.baton(delivery);
    if (content.type === 'wake') events.wake(content.userId, delivery);
  };
  // The lane itself was deleted, so the channel is of no use any more.
  const onCancel = (): void => {
    void channel.forget();
    channel.lose(undefined);
  };

  return {
    channel,
    laneChannel: {
      consumerCount: () =>
        channel.call(`count ${queue}`, () => {
          queues.declare(queue, { singleActive: true });
          return queues.consumerCount(queue);
        }),
      close: () => channel.close(),
    },
    async start() {
      await channel.call(`declare ${queue}`, () => queues.declare(queue, { singleActive: true }));
      try {
        consumer = await channel.consume({ queue, prefetch: server.lanePrefetch, receive, onCancel });
      } catch (error) {
        if (!(error instanceof BrokerRefusedError)) throw error;
        onNotFound();
        throw unavailable();
      }
    },
    isActive: () => channel.isWhole() && consumer !== undefined && queues.isActive(queue, consumer),
  };
};
