/** The consumers of one `Lanekeeper`: those that run, and those that are starting. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreClosedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Consumer } from './types.ts';

/** `closesWithinMs`: after that, it waits only for runs that ignore their signal. */
export type StartedConsumer = { consumer: Consumer; closesWithinMs: number };

export type Consumers = {
  /** @throws {StoreClosedError} after `close` */
  start(start: () => Promise<StartedConsumer>): Promise<Consumer>;
  /** Waits for each as long as its runs may take. Rejects when one could not be closed, once all others are closed. */
  close(): Promise<void>;
};

/** Runs that ignore their signal are not waited for: the caller wants to end its process, and that ends them. */
const closeInTime = async ({ consumer, closesWithinMs }: StartedConsumer, log: Logger): Promise<void> => {
  const given = new AbortController();
  const late = sleep(closesWithinMs, true, { signal: given.signal }).catch(() => false);
  const isLate = await Promise.race([consumer.close().then(() => false), late]).finally(() => given.abort());
  if (isLate) log.warn('runs go on against their signal: their users wait until the runs end, or this process does');
};

export const createConsumers = (log: Logger): Consumers => {
  const all = new Set<Promise<StartedConsumer>>();
  let isClosed = false;

  const start = async (begin: () => Promise<StartedConsumer>): Promise<Consumer> => {
    if (isClosed) throw new StoreClosedError('This Lanekeeper is closed.');
    const starting = begin();
    all.add(starting);
    const forget = () => void all.delete(starting);
    try {
      const { consumer } = await starting;
      void consumer.failed.then(forget);
      if (isClosed) throw new StoreClosedError('This Lanekeeper was closed while the consumer started.');
      const close = () => consumer.close().finally(forget);
      return { ...consumer, close, [Symbol.asyncDispose]: close };
    } catch (error) {
      if (!isClosed) forget();
      throw error;
    }
  };

  const closeOne = async (starting: Promise<StartedConsumer>): Promise<void> => {
    const started = await starting.catch(() => undefined);
    if (started) await closeInTime(started, log);
  };

  return {
    start,
    close: async () => {
      isClosed = true;
      const closed = await Promise.allSettled([...all].map(closeOne));
      const failures = closed.filter((one) => one.status === 'rejected').map(({ reason }) => reason);
      if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
    },
  };
};
