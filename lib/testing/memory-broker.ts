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
 * - Lanes and the consumers of user queues have a connection each. The latter may be lost alone.
 * - A queue that is deleted between a declare and its consume closes the whole channel, as RabbitMQ's 404 does. So does
 *   a call that the server refuses.
 *
 * As in RabbitMQ, a worker that deletes a user queue also receives the cancel of its own consumer. It ignores that
 * cancel, because the port calls `consumerLost` only when another process deleted the queue.
 *
 * A scheduler may reject these steps, before or after they took effect: `publish …` (the broker does not respond) and
 * `connect`. A process that dies takes no further step of its own, so its connection must be severed then.
 */
import { laneQueue, userQueue } from '../broker/names.ts';
import type { LaneBroker, Publisher } from '../ports.ts';
import { type MemoryChannel, type RefusableCall, refusal, type Server, unavailable } from './memory-channel.ts';
import { createMemoryLane, type MemoryLane } from './memory-lane.ts';
import { type Content, createMemoryQueues } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';
import { createMemoryUserQueues, type MemoryUserQueues } from './memory-user-queues.ts';

/**
 * The connections of one process: one for its lanes and its declares, another for the consumers of its user queues. Each
 * is opened on demand and again after it was lost.
 */
export type MemoryConnection = {
  publisher: Publisher;
  laneBroker: LaneBroker;
  /**
   * Cuts the connections of the lanes and of the consumers. The publisher has another one, which never breaks: to
   * make it fail, reject its steps.
   */
  sever(): void;
  /** Cuts the connection of the consumers alone. */
  severUserQueues(): void;
  /** The server closes every channel on which user queues are consumed. */
  shutUserQueues(): void;
  /** Whether one of its channels is really the active consumer of the lane. */
  isActive(lane: number): boolean;
};

export type MemoryBroker = {
  /**
   * `step`: runs the steps of the process. Default: the steps of the broker. `onNotFound`: called when the server
   * closes the channel of a lane because the lane does not exist.
   */
  connect(step?: Step, onNotFound?: () => void): MemoryConnection;
  /** Severs every connection and refuses every publish. The queues and the batons stay, and no other message does. */
  down(): void;
  up(): void;
  /** Deletes all queues and severs every connection. */
  wipe(): void;
  deleteUserQueue(userId: string): void;
  /** For the break of R2: no function may do this [R2]. */
  declareUserQueue(userId: string): void;
  deleteLane(lane: number): void;
  /**
   * Refuses these calls for this user queue, whether it exists or not, until the returned function is called. Default:
   * every call but publishes.
   */
  refuseUserQueue(userId: string, calls?: RefusableCall[]): () => void;
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

/** A connection that is opened on demand, and again after it was lost. */
const createConnection = (server: Server, step: Step, name: string) => {
  let current: Link | undefined;
  return {
    /** @throws {BrokerUnavailableError} when the connection is cut or the server is down. */
    async open(): Promise<Link> {
      const link = await step(`connect${name}`, () => {
        if (!current && !server.isUp) throw unavailable();
        const { promise, resolve } = Promise.withResolvers<void>();
        current ??= { alive: true, channels: new Set(), noticed: promise, notice: resolve };
        return current;
      });
      if (link.alive) return link;
      await link.noticed;
      throw unavailable();
    },
    sever(): void {
      if (!current?.alive) return;
      const link = current;
      link.alive = false;
      for (const channel of link.channels) void channel.forget();
      void step(`notice${name}`, () => {
        current = undefined;
        link.notice();
        for (const channel of link.channels) channel.lose(new Error('The connection was cut.'));
      });
    },
  };
};

const createLaneBroker = (server: Server, step: Step, onNotFound: () => void): Omit<MemoryConnection, 'publisher'> => {
  const lanes = createConnection(server, step, '');
  const consumers = createConnection(server, step, ' user queues');
  const newest = new Map<number, MemoryLane>();
  const opened = new Set<MemoryUserQueues>();

  const linkOf = (connection: typeof lanes) => async () => {
    const { channels } = await connection.open();
    return { add: (channel: MemoryChannel) => void channels.add(channel) };
  };
  const links = { lanes: linkOf(lanes), consumers: linkOf(consumers) };

  return {
    laneBroker: {
      async openLane(lane, events) {
        const link = await lanes.open();
        const memoryLane = createMemoryLane(server, step, lane, events, onNotFound);
        newest.set(lane, memoryLane);
        link.channels.add(memoryLane.channel);
        try {
          await memoryLane.start();
          return memoryLane.laneChannel;
        } catch (error) {
          await memoryLane.laneChannel.close();
          throw error;
        }
      },
      deleteUnusedUserQueue: (userId) =>
        step(`delete unused user.${userId}`, () => {
          if (!server.isUp) throw unavailable();
          const queue = userQueue('', userId);
          if (server.refuses('delete', queue)) throw refusal('delete', queue);
          if (!server.queues.hasLiveConsumer(queue)) server.queues.delete(queue);
        }),
      deleteLane: (lane) =>
        step(`delete ${laneQueue('', lane)}`, () => {
          if (!server.isUp) throw unavailable();
          server.queues.delete(laneQueue('', lane));
        }),
      openUserQueues(events) {
        const { shut, ...queues } = createMemoryUserQueues(server, step, links, events);
        const userQueues = { ...queues, shut };
        opened.add(userQueues);
        return {
          ...queues,
          close: () => {
            opened.delete(userQueues);
            return queues.close();
          },
        };
      },
    },
    isActive: (lane) => newest.get(lane)?.isActive() ?? false,
    sever() {
      lanes.sever();
      consumers.sever();
    },
    severUserQueues: () => consumers.sever(),
    shutUserQueues() {
      for (const queues of opened) queues.shut();
    },
  };
};

const createPublisher = (server: Server, step: Step): Publisher => {
  const publish = (queue: string, content: Content) =>
    step(`publish ${content.type} ${queue}`, () => {
      if (!server.isUp) throw unavailable();
      if (server.refuses('publish', queue)) throw refusal('publish', queue);
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
  const refused = new Set<{ queue: string; calls: RefusableCall[] }>();
  const refuses: Server['refuses'] = (call, queue) =>
    [...refused].some((each) => each.queue === queue && each.calls.includes(call));
  const server: Server = { queues: createMemoryQueues(), isUp: true, step, lanePrefetch, userPrefetch, refuses };
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
      server.queues.loseMessages();
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
    refuseUserQueue(userId, calls = ['declare', 'consume', 'delete']) {
      const entry = { queue: userQueue('', userId), calls };
      refused.add(entry);
      return () => refused.delete(entry);
    },
    queues: () => server.queues.names(),
    isConsumed: (queue) => server.queues.hasLiveConsumer(queue),
    messageCount: (queue) => server.queues.messageCount(queue),
  };
};
