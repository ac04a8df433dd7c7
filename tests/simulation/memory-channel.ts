/**
 * The channel of one lane in the stand-in for RabbitMQ: both ends and the wire between them. Everything on the wire is
 * a step.
 */
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import type { Delivery, LaneChannel, LaneEvents } from '../../lib/ports.ts';
import type { Consumer, Content, MemoryQueues, Message } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';

/** The server, which all connections share. `step`: runs the steps of the server itself. */
export type Server = { queues: MemoryQueues; isUp: boolean; step: Step; lanePrefetch: number; userPrefetch: number };

export type MemoryChannel = {
  laneChannel: LaneChannel;
  /** Declares and consumes the lane. */
  start(): Promise<void>;
  /** Whether the channel is open on the server and its consumer is the active one of the lane. */
  isActive(): boolean;
  /** The server drops the consumers of the channel, queue by queue, in any order. */
  forget(): Promise<void>;
  /** The process learns that the channel is gone. */
  lose(cause: Error): void;
};

export const unavailable = (): BrokerUnavailableError =>
  new BrokerUnavailableError('The in-memory broker does not respond.');

/** Runs its calls one after the other, whether the earlier ones succeed or fail. */
const createSequence = () => {
  let tail: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  };
};

/** Keeps in order what one channel sends, and also what it receives. */
const createWire = (step: Step) => {
  const sendUp = createSequence();
  const sendDown = createSequence();
  const noticed = Promise.withResolvers<void>();
  let whole = true;

  return {
    isWhole: () => whole,
    cut: () => {
      whole = false;
    },
    notice: () => noticed.resolve(),
    noticed: noticed.promise,
    /** One call and its answer. On a cut wire it hangs until the process notices the cut, and then fails. */
    call: <T>(what: string, operate: () => T): Promise<T> =>
      sendUp(async () => {
        const answer = await step(what, () => (whole ? { value: operate() } : undefined));
        if (answer && whole) return answer.value;
        await noticed.promise;
        throw unavailable();
      }),
    /** Sends something to the server that has no answer. */
    send: (what: string, operate: () => void): void => {
      void sendUp(() => step(what, () => whole && operate()));
    },
    /** Sends something to the process. What was sent before the cut may still arrive. */
    push: (what: string, receive: () => void): void => {
      if (whole) void sendDown(() => step(what, receive));
    },
    /** The last call to the server. */
    end: (what: string, operate: () => Promise<void>): Promise<void> =>
      sendUp(async () => (await step(what, () => ({ done: operate() }))).done),
  };
};

export const createMemoryChannel = (
  server: Server,
  step: Step,
  lane: number,
  events: LaneEvents,
  onNotFound: () => void,
): MemoryChannel => {
  const { queues } = server;
  const laneName = laneQueue('', lane);
  const wire = createWire(step);
  /** The server's view: the consumers of this channel and their queues. */
  const consumers = new Map<Consumer, string>();
  /**
   * The process's view: the live consumer of each user queue. A cancel of another consumer follows from the process's
   * own delete.
   */
  const userConsumers = new Map<string, Consumer>();
  let laneConsumer: Consumer | undefined;
  let open = true;

  const forget = async (): Promise<void> => {
    wire.cut();
    const all = [...consumers];
    consumers.clear();
    await Promise.all(
      all.map(([consumer, queue]) => server.step(`forget ${queue}`, () => queues.drop(queue, consumer))),
    );
  };

  const lose = (cause: Error | undefined): void => {
    wire.notice();
    if (!open) return;
    open = false;
    events.closed(cause);
  };

  const onCancel = (queue: string, consumer: Consumer): void => {
    // The lane itself was deleted, so the channel is of no use any more.
    if (queue === laneName) {
      void forget();
      lose(undefined);
    }
    for (const [userId, live] of userConsumers) {
      if (live !== consumer || !open) continue;
      userConsumers.delete(userId);
      events.userQueueCancelled(userId);
    }
  };

  const subscribe = async (
    queue: string,
    prefetch: number,
    receive: (content: Content, delivery: Delivery) => void,
    remember: (consumer: Consumer) => void,
  ): Promise<void> => {
    const deliveryOf = (message: Message): Delivery => ({
      ack: () => {
        if (open) wire.send(`ack ${queue}`, () => queues.ack(queue, consumer, message));
      },
    });
    const consumer: Consumer = {
      prefetch,
      isLive: wire.isWhole,
      deliver: (message) =>
        wire.push(`deliver ${queue}`, () => {
          if (open) receive(structuredClone(message.content), deliveryOf(message));
        }),
      cancelled: () => {
        consumers.delete(consumer);
        wire.push(`cancel ${queue}`, () => onCancel(queue, consumer));
      },
    };
    remember(consumer);
    const singleActive = queue === laneName;
    await wire.call(`declare ${queue}`, () => queues.declare(queue, { singleActive }));
    await wire.call(`consume ${queue}`, () => {
      consumers.set(consumer, queue);
      if (queues.consume(queue, consumer)) return;
      // RabbitMQ answers with 404 and closes the channel.
      onNotFound();
      wire.push(`close ${laneName}`, () => lose(new Error(`404: no queue ${queue}`)));
      void forget();
    });
  };

  const receiveFromLane = (content: Content, delivery: Delivery): void => {
    if (content.type === 'baton') events.baton(delivery);
    if (content.type === 'wake') events.wake(content.userId, delivery);
  };

  const openUserQueue = async (userId: string): Promise<void> => {
    if (!open) throw unavailable();
    if (userConsumers.has(userId)) return;
    const receive = (content: Content, delivery: Delivery): void => {
      if (content.type === 'request') events.request(userId, content.message, delivery);
    };
    try {
      await subscribe(userQueue('', userId), server.userPrefetch, receive, (consumer) =>
        userConsumers.set(userId, consumer),
      );
    } catch (error) {
      userConsumers.delete(userId);
      throw error;
    }
  };

  const laneChannel: LaneChannel = {
    openUserQueue,
    async deleteUserQueue(userId) {
      if (!open) throw unavailable();
      userConsumers.delete(userId);
      const queue = userQueue('', userId);
      await wire.call(`delete ${queue}`, () => queues.delete(queue));
    },
    async consumerCount() {
      if (!open) throw unavailable();
      return wire.call(`count ${laneName}`, () => {
        queues.declare(laneName, { singleActive: true });
        return queues.consumerCount(laneName);
      });
    },
    async close() {
      if (!open) return;
      open = false;
      await Promise.race([wire.end(`close ${laneName}`, forget), wire.noticed]);
    },
  };

  return {
    laneChannel,
    start: () =>
      subscribe(laneName, server.lanePrefetch, receiveFromLane, (consumer) => {
        laneConsumer = consumer;
      }),
    isActive: () => wire.isWhole() && laneConsumer !== undefined && queues.isActive(laneName, laneConsumer),
    forget,
    lose,
  };
};
