/**
 * One channel in the stand-in for RabbitMQ: both ends and the wire between them. Everything on the wire is a step. The
 * lane and the user queues are built on it.
 */
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import type { Delivery } from '../ports.ts';
import { createSequence } from '../sequence.ts';
import type { Consumer, Content, MemoryQueues, Message } from './memory-queues.ts';
import type { Step } from './memory-stores.ts';

/** What the server may refuse to do with a user queue. */
export type RefusableCall = 'declare' | 'consume' | 'delete' | 'publish';

/** The server, which all connections share. `step`: runs the steps of the server itself. */
export type Server = {
  queues: MemoryQueues;
  isUp: boolean;
  step: Step;
  lanePrefetch: number;
  userPrefetch: number;
  /** Whether the server refuses this call at the moment. */
  refuses(call: RefusableCall, queue: string): boolean;
};

export type Consuming = {
  queue: string;
  prefetch: number;
  receive(content: Content, delivery: Delivery): void;
  /** Somebody deleted the queue. */
  onCancel(): void;
};

export type MemoryChannel = {
  /**
   * One call and its answer. On a channel that is gone it hangs until the process notices, and then fails. A returned
   * error is a refusal: the server closes the channel, and only this call rejects with that error.
   */
  call<T>(what: string, operate: () => T | BrokerRefusedError): Promise<T>;
  /** Consumes a queue that exists. */
  consume(consuming: Consuming): Promise<Consumer>;
  /** Whether it is open on the server. */
  isWhole(): boolean;
  /** Whether it is open as far as the process knows. */
  isOpen(): boolean;
  /** The server drops the consumers of the channel, queue by queue, in any order. */
  forget(): Promise<void>;
  /** The process learns that the channel is gone. */
  lose(cause: Error | undefined): void;
  /** The server closes the channel. */
  shut(cause: Error): void;
  /** The process closes the channel. */
  close(): Promise<void>;
};

export const unavailable = (): BrokerUnavailableError =>
  new BrokerUnavailableError('The in-memory broker does not respond.');

export const refusal = (call: RefusableCall, queue: string): BrokerRefusedError =>
  new BrokerRefusedError(`The in-memory broker refuses to ${call} ${queue}.`);

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

/** `onLost`: called once when the process learns that the channel is gone; never after `close()`. */
export const createMemoryChannel = (
  server: Server,
  step: Step,
  name: string,
  onLost: (cause: Error | undefined) => void,
): MemoryChannel => {
  const { queues } = server;
  const wire = createWire(step);
  /** The server's view: the consumers of this channel and their queues. */
  const consumers = new Map<Consumer, string>();
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
    onLost(cause);
  };

  const shut = (cause: Error): void => {
    wire.push(`close ${name}`, () => lose(cause));
    void forget();
  };

  const call = async <T>(what: string, operate: () => T | BrokerRefusedError): Promise<T> => {
    if (!open) throw unavailable();
    let refused: BrokerRefusedError | undefined;
    const carryOut = (): T | BrokerRefusedError => {
      const answer = operate();
      if (answer instanceof BrokerRefusedError) {
        refused = answer;
        shut(answer);
      }
      return answer;
    };
    try {
      return (await wire.call(what, carryOut)) as T;
    } catch (error) {
      throw refused ?? error;
    }
  };

  const consumerOf = ({ queue, prefetch, receive, onCancel }: Consuming): Consumer => {
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
        wire.push(`cancel ${queue}`, () => open && onCancel());
      },
    };
    return consumer;
  };

  return {
    call,
    async consume(consuming) {
      const { queue } = consuming;
      const consumer = consumerOf(consuming);
      await call(`consume ${queue}`, () => {
        if (server.refuses('consume', queue)) return refusal('consume', queue);
        consumers.set(consumer, queue);
        // RabbitMQ answers with 404 and closes the channel.
        return queues.consume(queue, consumer) ? undefined : new BrokerRefusedError(`404: no queue ${queue}`);
      });
      return consumer;
    },
    isWhole: wire.isWhole,
    isOpen: () => open,
    forget,
    lose,
    shut,
    async close() {
      if (!open) return;
      open = false;
      await Promise.race([wire.end(`close ${name}`, forget), wire.noticed]);
    },
  };
};
