/**
 * The user queues of one lane hold in the stand-in for RabbitMQ, on channels as the real lane broker uses them: one to
 * declare and delete, on the connection of the lanes; one that the consumers share, and one for each consumer that is
 * tried out, on a connection of their own.
 */
import { userQueue } from '../broker/names.ts';
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import type { Delivery, UserQueueChannel, UserQueueEvents } from '../ports.ts';
import { createSequence } from '../sequence.ts';
import { createMemoryChannel, type MemoryChannel, refusal, type Server, unavailable } from './memory-channel.ts';
import type { Content } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';

/** A connection that is there, for channels to be opened on. `add`: the channel lives and dies with the connection. */
type OpenLink = () => Promise<{ add(channel: MemoryChannel): void }>;

export type MemoryUserQueues = UserQueueChannel & {
  /** The server closes the channel of the consumers. */
  shut(): void;
};

/** A user's consumer: it is `undefined` until the server has accepted it. */
type Consuming = { on: MemoryChannel | undefined; isDeleting: boolean };

const openTries = 3;

export const createMemoryUserQueues = (
  server: Server,
  step: Step,
  links: { lanes: OpenLink; consumers: OpenLink },
  events: UserQueueEvents,
): MemoryUserQueues => {
  const { queues } = server;
  const inTurn = createSequence();
  const consuming = new Map<string, Consuming>();
  const opening = new Map<string, Promise<void>>();
  const refusedUsers = new Set<string>();
  const acceptedUsers = new Set<string>();
  let declaring: MemoryChannel | undefined;
  let shared: Promise<MemoryChannel> | undefined;
  let sharedNow: MemoryChannel | undefined;
  let isClosed = false;

  const openChannel = async (
    openLink: OpenLink,
    name: string,
    onLost: (channel: MemoryChannel) => void,
  ): Promise<MemoryChannel> => {
    const link = await openLink();
    if (isClosed) throw unavailable();
    const channel: MemoryChannel = createMemoryChannel(server, step, name, () => onLost(channel));
    link.add(channel);
    return channel;
  };

  const declareOrDelete = (call: 'declare' | 'delete', queue: string): Promise<void> =>
    inTurn(async () => {
      if (isClosed) throw unavailable();
      declaring = declaring?.isOpen() ? declaring : await openChannel(links.lanes, 'declares', () => undefined);
      await declaring.call(`${call} ${queue}`, () => {
        if (server.refuses(call, queue)) return refusal(call, queue);
        if (call === 'declare') queues.declare(queue, { singleActive: false });
        else queues.delete(queue);
      });
    });

  const lost = (userId: string, consumer: Consuming): void => {
    if (consuming.get(userId) !== consumer) return;
    consuming.delete(userId);
    if (consumer.on && !consumer.isDeleting && !isClosed) events.consumerLost(userId);
  };

  const sharedLost = (channel: MemoryChannel): void => {
    shared = undefined;
    sharedNow = undefined;
    for (const [userId, consumer] of [...consuming]) if (consumer.on === channel) lost(userId, consumer);
  };

  const openShared = (): Promise<MemoryChannel> => {
    shared ??= openChannel(links.consumers, 'consumers', sharedLost).then(
      (channel) => {
        sharedNow = channel;
        return channel;
      },
      (error) => {
        shared = undefined;
        throw error;
      },
    );
    return shared;
  };

  const tryOut = async (queue: string): Promise<void> => {
    const channel = await openChannel(links.consumers, 'trial', () => undefined);
    await channel.call(`try ${queue}`, () =>
      server.refuses('consume', queue) ? refusal('consume', queue) : undefined,
    );
    await channel.close();
  };

  /** False when the channel closed because of another user. */
  const consume = async (userId: string, queue: string): Promise<boolean> => {
    if (refusedUsers.size > 0 && !acceptedUsers.has(userId)) await tryOut(queue);
    const channel = await openShared();
    const consumer: Consuming = { on: undefined, isDeleting: false };
    consuming.set(userId, consumer);
    const receive = (content: Content, delivery: Delivery): void => {
      if (content.type !== 'request') return;
      if (consuming.get(userId) === consumer) events.request(userId, content.message, delivery);
      else delivery.ack();
    };
    const onCancel = (): void => lost(userId, consumer);
    try {
      await channel.consume({ queue, prefetch: server.userPrefetch, receive, onCancel });
    } catch (error) {
      if (consuming.get(userId) === consumer) consuming.delete(userId);
      acceptedUsers.delete(userId);
      if (error instanceof BrokerRefusedError) throw error;
      return false;
    }
    if (consuming.get(userId) !== consumer || !channel.isOpen()) return false;
    consumer.on = channel;
    return true;
  };

  const open = async (userId: string): Promise<void> => {
    const queue = userQueue('', userId);
    for (let tries = 0; tries < openTries; tries += 1) {
      if (isClosed) throw unavailable();
      if (consuming.get(userId)?.on) return;
      await declareOrDelete('declare', queue);
      try {
        if (!(await consume(userId, queue))) continue;
        refusedUsers.delete(userId);
        acceptedUsers.add(userId);
        return;
      } catch (error) {
        if (!(error instanceof BrokerRefusedError)) throw error;
        refusedUsers.add(userId);
        // Somebody deleted the queue after its declare.
        if (!error.message.startsWith('404')) throw error;
      }
    }
    throw refusal('consume', queue);
  };

  const unlessClosed = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      throw isClosed ? unavailable() : error;
    }
  };

  return {
    open(userId) {
      const current = opening.get(userId);
      if (current) return current;
      const opened = unlessClosed(open(userId)).finally(() => opening.delete(userId));
      opening.set(userId, opened);
      return opened;
    },
    async delete(userId) {
      await opening.get(userId)?.catch(() => undefined);
      if (isClosed) throw unavailable();
      const consumer = consuming.get(userId);
      if (consumer) consumer.isDeleting = true;
      try {
        await unlessClosed(declareOrDelete('delete', userQueue('', userId)));
      } catch (error) {
        if (consumer) consumer.isDeleting = false;
        if (consumer && consuming.get(userId) !== consumer && !isClosed) events.consumerLost(userId);
        throw error;
      }
      if (consuming.get(userId) === consumer) consuming.delete(userId);
      refusedUsers.delete(userId);
      acceptedUsers.delete(userId);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      consuming.clear();
      await Promise.all([declaring?.close(), sharedNow?.close()]);
    },
    shut() {
      sharedNow?.shut(new BrokerUnavailableError('The server closed the channel of the user queues.'));
    },
  };
};
