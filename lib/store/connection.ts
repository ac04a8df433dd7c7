import mongoose from 'mongoose';
import type { Config } from '../config.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import { defineModels, type Models } from './models.ts';
import { asStoreError } from './unavailable.ts';

/** Runs one operation: connects first when needed, ends in time, and fails with `StoreUnavailableError` when it cannot. */
export type Execute = <T>(operate: (models: Models) => Promise<T>) => Promise<T>;

export type StoreConnection = {
  execute: Execute;
  ping(): Promise<void>;
  drop(): Promise<void>;
  close(): Promise<void>;
};

/**
 * What is accepted must survive a failover: majority and journal. What is read must too, or an owner could pass over an
 * entry whose settlement is rolled back: read concern majority.
 *
 * The driver's limits end what a call has given up on; the one for finding a server is a little shorter than the call's own,
 * so that the call fails with the driver's reason. Connections are few because the server's journal, not their
 * number, is the limit; a group commit needs one.
 */
const clientOptions = (timeoutMs: number): mongoose.ConnectOptions => ({
  w: 'majority',
  journal: true,
  readConcernLevel: 'majority',
  minPoolSize: 1,
  maxPoolSize: 64,
  serverSelectionTimeoutMS: Math.ceil(timeoutMs * 0.9),
  connectTimeoutMS: timeoutMs,
  waitQueueTimeoutMS: timeoutMs,
  socketTimeoutMS: timeoutMs,
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
});

/** Runs `operate` once at a time: concurrent callers share a run, a failed one is forgotten, a good one is final. */
const once = (operate: () => Promise<unknown>) => {
  let running: Promise<unknown> | undefined;
  const run = () => {
    running ??= operate().catch((error) => {
      running = undefined;
      throw error;
    });
    return running;
  };
  return { run, forget: () => (running = undefined) };
};

/** The driver has no limit for a whole operation: selection, waiting for a connection, sending and one retry add up. */
const within = async <T>(timeoutMs: number, operation: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new StoreUnavailableError(`MongoDB did not answer within ${timeoutMs} ms`));
    timer = setTimeout(fail, timeoutMs);
  });
  try {
    return await Promise.race([operation, late]);
  } finally {
    clearTimeout(timer);
  }
};

const outageTexts = { away: 'MongoDB is not available', back: 'MongoDB is available again' };

/** One connection of its own; it opens at the first call. */
export const connectStore = (
  config: Pick<Config, 'mongodbUrl' | 'storeTimeoutMs'>,
  log: Pick<Logger, 'warn' | 'info'>,
): StoreConnection => {
  const outages = watchOutages(log, outageTexts);
  const connection = mongoose.createConnection();
  const models = defineModels(connection);
  let closed = false;
  const opened = once(() => connection.openUri(config.mongodbUrl, clientOptions(config.storeTimeoutMs)));
  // Part of connecting, because idempotent accept and unique names rest on unique indexes.
  const indexed = once(() => Promise.all(Object.values(models).map((model) => model.createIndexes())));

  const execute: Execute = async (operate) => {
    if (closed) throw new StoreUnavailableError('The connection to MongoDB is closed');
    const operation = async () => {
      await opened.run();
      await indexed.run();
      return operate(models);
    };
    const answered = outages.asking();
    try {
      const result = await within(config.storeTimeoutMs, operation());
      answered();
      return result;
    } catch (error) {
      const translated = asStoreError(error);
      if (translated instanceof StoreUnavailableError && !closed) outages.failed(translated);
      throw translated;
    }
  };

  return {
    execute,
    ping: () => execute(async () => void (await connection.getClient().db().admin().ping())),
    drop: () =>
      execute(async () => {
        await connection.getClient().db().dropDatabase();
        indexed.forget();
      }),
    close: async () => {
      closed = true;
      await connection.close(true);
    },
  };
};
