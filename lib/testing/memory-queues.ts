/**
 * The server side of the stand-in for RabbitMQ: queues, consumers and deliveries. Every call is atomic; nothing here
 * waits.
 *
 * It behaves like RabbitMQ in these points: A message goes to an existing queue or is unroutable. A lane delivers to
 * its single active consumer, which is the one that subscribed first. Other queues deliver to their consumers in turn.
 * A consumer holds at most `prefetch` unacked messages. When a consumer is dropped, its unacked messages return to
 * their places. Deleting a queue deletes its messages and cancels its consumers.
 *
 * It leaves out `x-expires`, alarms, priorities, nacks and `basic.cancel`. The product never uses `basic.cancel`,
 * because it can stall a queue or break its order.
 */
import type { PublishResult } from '../ports.ts';
import type { RequestMessage } from '../types.ts';

export type Content =
  | { type: 'baton' }
  | { type: 'wake'; userId: string }
  | { type: 'request'; message: RequestMessage };

/** `position`: the place of the message in the queue. It never changes. */
export type Message = { position: number; content: Content };

/** A consumer as the server sees it. `deliver` and `cancelled` only send; the process receives in a later step. */
export type Consumer = {
  prefetch: number;
  /** Whether its channel is open, so that it will be notified of a cancel. */
  isLive(): boolean;
  deliver(message: Message): void;
  cancelled(): void;
};

type Queue = {
  singleActive: boolean;
  published: number;
  ready: Message[];
  /** In a lane, in the order of their subscriptions. In other queues, in the order of their turns. */
  consumers: Consumer[];
  unacked: Map<Consumer, Message[]>;
};

export type MemoryQueues = ReturnType<typeof createMemoryQueues>;

export const createMemoryQueues = () => {
  const queues = new Map<string, Queue>();

  const hasRoom = (queue: Queue, consumer: Consumer): boolean =>
    (queue.unacked.get(consumer)?.length ?? 0) < consumer.prefetch;

  const nextConsumer = (queue: Queue): Consumer | undefined => {
    const candidates = queue.singleActive ? queue.consumers.slice(0, 1) : queue.consumers;
    return candidates.find((consumer) => hasRoom(queue, consumer));
  };

  const pump = (queue: Queue): void => {
    for (let consumer = nextConsumer(queue); consumer && queue.ready.length > 0; consumer = nextConsumer(queue)) {
      const message = queue.ready.shift()!;
      queue.unacked.set(consumer, [...(queue.unacked.get(consumer) ?? []), message]);
      if (!queue.singleActive) queue.consumers.push(...queue.consumers.splice(queue.consumers.indexOf(consumer), 1));
      consumer.deliver(message);
    }
  };

  return {
    /** Idempotent. */
    declare(name: string, { singleActive }: { singleActive: boolean }): void {
      if (queues.has(name)) return;
      queues.set(name, { singleActive, published: 0, ready: [], consumers: [], unacked: new Map() });
    },

    publish(name: string, content: Content): PublishResult {
      const queue = queues.get(name);
      if (!queue) return 'unroutable';
      queue.published += 1;
      queue.ready.push({ position: queue.published, content });
      pump(queue);
      return 'routed';
    },

    /** False when the queue does not exist. */
    consume(name: string, consumer: Consumer): boolean {
      const queue = queues.get(name);
      if (!queue) return false;
      queue.consumers.push(consumer);
      pump(queue);
      return true;
    },

    /** Drops a consumer whose channel was closed. Its unacked messages return to their places. */
    drop(name: string, consumer: Consumer): void {
      const queue = queues.get(name);
      if (!queue?.consumers.includes(consumer)) return;
      queue.consumers.splice(queue.consumers.indexOf(consumer), 1);
      queue.ready.push(...(queue.unacked.get(consumer) ?? []));
      queue.ready.sort((a, b) => a.position - b.position);
      queue.unacked.delete(consumer);
      pump(queue);
    },

    ack(name: string, consumer: Consumer, message: Message): void {
      const queue = queues.get(name);
      const held = queue?.unacked.get(consumer);
      if (!queue || !held?.includes(message)) return;
      held.splice(held.indexOf(message), 1);
      pump(queue);
    },

    delete(name: string): void {
      const queue = queues.get(name);
      queues.delete(name);
      for (const consumer of queue?.consumers ?? []) consumer.cancelled();
    },

    consumerCount: (name: string): number => queues.get(name)?.consumers.length ?? 0,

    isActive: (name: string, consumer: Consumer): boolean => queues.get(name)?.consumers[0] === consumer,

    hasLiveConsumer: (name: string): boolean =>
      queues.get(name)?.consumers.some((consumer) => consumer.isLive()) ?? false,

    /** The number of messages, ready and unacked. */
    messageCount(name: string): number {
      const queue = queues.get(name);
      return queue ? queue.ready.length + [...queue.unacked.values()].flat().length : 0;
    },

    /** The server restarts: it keeps the queues and what is persistent, which is the batons. */
    loseMessages(): void {
      const kept = (messages: Message[]) => messages.filter(({ content }) => content.type === 'baton');
      for (const queue of queues.values()) {
        queue.ready = kept(queue.ready);
        for (const [consumer, messages] of queue.unacked) queue.unacked.set(consumer, kept(messages));
      }
    },

    names: (): string[] => [...queues.keys()].sort(),
    clear: (): void => queues.clear(),
  };
};
