/**
 * The stand-in for RabbitMQ in the simulation: the ports `Publisher` and `LaneBroker` in memory.
 *
 * Everything that crosses the network is a step, and the scheduler decides when it happens. What RabbitMQ keeps in
 * order stays in order: what one channel sends (declares, consumes, acks, its close) and what one channel receives
 * (deliveries, cancels). Everything else may happen in any order. Therefore:
 *
 * - A delivery may be in flight while its consumer dies, and an ack may be lost. Then the message is delivered again.
 * - A process whose connection is severed does not know it until its step `notice`. Until then its calls hang and its
 *   acks are lost.
 * - The server drops the consumers of a dead channel queue by queue, in any order.
 * - A queue that is deleted between a declare and its consume closes the whole channel, as RabbitMQ's 404 does.
 *
 * As in RabbitMQ, a channel that deletes a user queue also receives the cancel of its own consumer. It ignores that
 * cancel, because the port calls `userQueueCancelled` only when another process deleted the queue.
 *
 * A scheduler may reject these steps, before or after they took effect: `publish …` (the broker does not respond) and
 * `connect`. A process that dies takes no further step of its own, so its connection must be severed then.
 */
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import type { LaneBroker, Publisher } from '../../lib/ports.ts';
import { createMemoryChannel, type MemoryChannel, type Server, unavailable } from './memory-channel.ts';
import { type Content, createMemoryQueues } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';

/**
 * The connections of one process. Its lanes share one connection, which is opened on demand and again after it was
 * lost.
 */
export type MemoryConnection = {
  publisher: Publisher;
  laneBroker: LaneBroker;
  /**
   * Cuts the connection of the lanes. The publisher has another one, which never breaks: to make it fail, reject its
   * steps.
   */
  sever(): void;
  /** Whether one of its channels is really the active consumer of the lane. */
  isActive(lane: number): boolean;
};

export type MemoryBroker = {
  /**
   * `step`: runs the steps of the process. Default: the steps of the broker. `onNotFound`: called when the server
   * closes a channel because a queue does not exist.
   */
  connect(step?: Step, onNotFound?: () => void): MemoryConnection;
  /** Severs every connection and refuses every publish. The queues and their messages stay. */
  down(): void;
  up(): void;
  /** Deletes all queues and severs every connection. */
  wipe(): void;
  deleteUserQueue(userId: string): void;
  /** For the break of R2: no function may do this [R2]. */
  declareUserQueue(userId: string): void;
  deleteLane(lane: number): void;
  queues(): string[];
  /** Whether a live consumer would be notified if this queue were deleted. */
  isConsumed(queue: string): boolean;
  /** The number of messages in a queue, ready and unacked. */
  messageCount(queue: string): number;
};

/** A connection. `alive` is its real state, which its process learns later. */
type Link = { alive: boolean; channels: Set<MemoryChannel>; noticed: Promise<void>; notice(): void };

export type MemoryBrokerOptions = { step?: Step; lanePrefetch?: number; userPrefetch?: number };

const direct: Step = (_name, operate) => Promise.resolve().then(operate);

const createLink = (): Link => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { alive: true, channels: new Set(), noticed: promise, notice: resolve };
};

const createLaneBroker = (
  server: Server,
  step: Step,
  onNotFound: () => void,
): Pick<MemoryConnection, 'laneBroker' | 'sever' | 'isActive'> => {
  let current: Link | undefined;
  const newest = new Map<number, MemoryChannel>();

  const connect = (): Promise<Link> =>
    step('connect', () => {
      if (!current && !server.isUp) throw unavailable();
      current ??= createLink();
      return current;
    });

  return {
    laneBroker: {
      async openLane(lane, events) {
        const link = await connect();
        if (!link.alive) {
          await link.noticed;
          throw unavailable();
        }
        const channel = createMemoryChannel(server, step, lane, events, onNotFound);
        newest.set(lane, channel);
        link.channels.add(channel);
        try {
          await channel.start();
          return channel.laneChannel;
        } catch (error) {
          await channel.laneChannel.close();
          throw error;
        }
      },
    },
    isActive: (lane) => newest.get(lane)?.isActive() ?? false,
    sever() {
      if (!current?.alive) return;
      const link = current;
      link.alive = false;
      for (const channel of link.channels) void channel.forget();
      void step('notice', () => {
        current = undefined;
        link.notice();
        for (const channel of link.channels) channel.lose(new Error('The connection was cut.'));
      });
    },
  };
};

const createPublisher = (server: Server, step: Step): Publisher => {
  const publish = (queue: string, content: Content) =>
    step(`publish ${content.type} ${queue}`, () => {
      if (!server.isUp) throw unavailable();
      return server.queues.publish(queue, structuredClone(content));
    });
  return {
    publishRequest: (userId, message) => publish(userQueue('', userId), { type: 'request', message }),
    publishWake: (lane, userId) => publish(laneQueue('', lane), { type: 'wake', userId }),
    publishBaton: (lane) => publish(laneQueue('', lane), { type: 'baton' }),
  };
};

/** The prefetch counts default to those of the real lane broker. Smaller ones make a small simulation reach them. */
export const createMemoryBroker = (options: MemoryBrokerOptions = {}): MemoryBroker => {
  const { step = direct, lanePrefetch = 256, userPrefetch = 8 } = options;
  const server: Server = { queues: createMemoryQueues(), isUp: true, step, lanePrefetch, userPrefetch };
  const connections: MemoryConnection[] = [];
  const severAll = (): void => {
    for (const connection of connections) connection.sever();
  };

  return {
    connect(ownStep = step, onNotFound = () => undefined) {
      const publisher = createPublisher(server, ownStep);
      const connection = { publisher, ...createLaneBroker(server, ownStep, onNotFound) };
      connections.push(connection);
      return connection;
    },
    down() {
      server.isUp = false;
      severAll();
    },
    up() {
      server.isUp = true;
    },
    wipe() {
      severAll();
      server.queues.clear();
    },
    deleteUserQueue: (userId) => server.queues.delete(userQueue('', userId)),
    declareUserQueue: (userId) => server.queues.declare(userQueue('', userId), { singleActive: false }),
    deleteLane: (lane) => server.queues.delete(laneQueue('', lane)),
    queues: () => server.queues.names(),
    isConsumed: (queue) => server.queues.hasLiveConsumer(queue),
    messageCount: (queue) => server.queues.messageCount(queue),
  };
};
