/**
 * RabbitMQ's stand-in for the simulation: the ports `Publisher` and `LaneBroker` in memory.
 *
 * Whatever crosses the network is a step: the scheduler decides when it happens. What RabbitMQ keeps in order stays in
 * order: what one channel sends (declares, consumes, acks, its close), and what one channel is sent (deliveries, cancels).
 * Everything else may happen in any order, so that:
 *
 * - a delivery is on its way while its consumer dies, and an ack may be lost: the message comes again;
 * - a process whose connection is severed does not know until its step `notice`; until then its calls hang, its acks vanish;
 * - the server forgets a dead channel's consumers queue by queue, in any order;
 * - a queue deleted between a declare and its consume closes the whole channel, as RabbitMQ's 404 does.
 *
 * A channel that deletes a user queue is sent a cancel of its own consumer too, as in RabbitMQ, and keeps it to itself:
 * the port promises `userQueueCancelled` only when somebody else deleted the queue.
 *
 * The steps that a scheduler may reject, before or after they took effect: `publish …` (the broker is silent) and
 * `connect`. A process that dies takes no further step of its own: its connection is to be severed then.
 */
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import type { LaneBroker, Publisher } from '../../lib/ports.ts';
import { createMemoryChannel, type MemoryChannel, type Server, unavailable } from './memory-channel.ts';
import { type Content, createMemoryQueues } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';

/** One process's way to the broker. Its lanes share one connection, made on demand and again after it was lost. */
export type MemoryConnection = {
  publisher: Publisher;
  laneBroker: LaneBroker;
  /** Cuts the lanes' connection. The publisher has one of its own, which mends itself: to fail it, reject its steps. */
  sever(): void;
  /** Whether one of its channels is the lane's active consumer, in truth. */
  isActive(lane: number): boolean;
};

export type MemoryBroker = {
  /** `step` is the process's own; without it, the broker's. `onNotFound`: the server closed a channel for a queue that is gone. */
  connect(step?: Step, onNotFound?: () => void): MemoryConnection;
  /** Every connection is severed, every publish refused. The queues and their messages stay. */
  down(): void;
  up(): void;
  /** The broker loses everything, and every connection. */
  wipe(): void;
  deleteUserQueue(userId: string): void;
  /** What no function may do [R2]. */
  declareUserQueue(userId: string): void;
  deleteLane(lane: number): void;
  queues(): string[];
  /** Whether a live consumer would be told that this queue is gone. */
  isConsumed(queue: string): boolean;
  /** Messages of one queue by its name, ready and unacked. */
  messageCount(queue: string): number;
};

/** A connection. `alive` is the truth; its process learns it later. */
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

/** The prefetches default to those of the real lane broker; smaller ones bring their limits into a small simulation. */
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
    isConsumed: (queue) => server.queues.isHeard(queue),
    messageCount: (queue) => server.queues.messageCount(queue),
  };
};
