import mongoose from 'mongoose';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { DatabaseClock } from '../database-clock.ts';
import { StoreClosedError, StoreUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import type { Clock } from '../ports.ts';
import { sharePromise } from '../shared-promise.ts';
import { withTimeout } from '../timeout.ts';
import { checkMongodbUrl, mongooseOptions } from './client-options.ts';
import { guardIndexes, type UniqueIndex } from './index-guard.ts';
import type { NeededIndex } from './indexes.ts';
import { migrate } from './migrate.ts';
import { defineModels, type Models } from './models.ts';
import { asStoreError, tookTooLong } from './unavailable.ts';

/**
 * Runs one operation. Connects first if needed, ends in time, and throws `StoreUnavailableError` when MongoDB cannot answer. `needs`:
 * the unique index on which the operation depends. It throws `NotMigratedError` while that is missing.
 */
export type Execute = <T>(
  operate: (models: Models) => Promise<T>,
  needs?: UniqueIndex | 'all',
  about?: OperationKind,
) => Promise<T>;

/** `mayBeSlow`: how long it takes depends on the data, so that a timeout says nothing about MongoDB. */
type OperationKind = { mayBeSlow: boolean };

export type StoreConnection = {
  execute: Execute;
  /** MongoDB's time. Until the first operation, the host's. */
  clock: Clock;
  /** Resolves when MongoDB answers and has the unique indexes. */
  ping(): Promise<void>;
  missingIndexes(): string[];
  /** Resolves when `clock` shows MongoDB's time. */
  timeKnown(): Promise<void>;
  drop(): Promise<void>;
  close(): Promise<void>;
};

const outageTexts = { away: 'MongoDB is not available', back: 'MongoDB is available again' };

/** `autoMigrate`: create missing indexes, beside the calls. Only those that depend on a unique index wait for it. */
export type StoreConfig = Pick<Config, 'mongodbUrl' | 'storeTimeoutMs'> & Partial<Pick<Config, 'autoMigrate'>>;

/**
 * A connection of its own, which opens at the first call.
 *
 * @throws {ConfigError} when the URL cannot be used.
 */
export const connectStore = (
  config: StoreConfig,
  log: Pick<Logger, 'warn' | 'info'>,
  hostClock: Clock = systemClock,
): StoreConnection => {
  const { storeTimeoutMs } = config;
  const { url, options, overridden } = checkMongodbUrl(config);
  if (overridden.length > 0)
    log.warn({ options: overridden }, 'options in MONGODB_URL do not apply: Lanekeeper sets them');
  const outages = watchOutages(log, outageTexts);
  const connection = mongoose.createConnection();
  const models = defineModels(connection, storeTimeoutMs);
  const time = new DatabaseClock(hostClock);
  let closed = false;
  const opened = sharePromise(() => connection.openUri(url, { ...options, ...mongooseOptions }));
  const build = (which: (index: NeededIndex) => boolean) => migrate(config, which);
  const indexes = guardIndexes({ models, log, build: config.autoMigrate ? build : undefined });

  /** From the primary, as every operation: with a `readPreference` in the URL a secondary would answer, by its own clock. */
  const serverTime = async (): Promise<Date | undefined> => {
    const command = { hello: 1, maxTimeMS: storeTimeoutMs };
    const hello = await connection.getClient().db().admin().command(command, { readPreference: 'primary' });
    return hello.localTime instanceof Date ? hello.localTime : undefined;
  };
  const measured = sharePromise((forget) => time.measure(serverTime).finally(forget));

  const execute: Execute = async (operate, needs, { mayBeSlow } = { mayBeSlow: false }) => {
    if (closed) throw new StoreClosedError('The connection to MongoDB is closed.');
    const operation = async () => {
      await opened.get();
      await indexes.check(needs);
      if (time.isDue()) await measured.get();
      return operate(models);
    };
    const failuresBefore = outages.failures();
    let timedOut = false;
    try {
      // The driver has no timeout for a whole operation: selection, waiting for a connection, sending and one retry add up.
      const result = await withTimeout(systemClock, storeTimeoutMs, operation(), () => {
        timedOut = true;
        throw new StoreUnavailableError(`MongoDB did not answer within ${storeTimeoutMs} ms.`);
      });
      outages.succeeded(failuresBefore);
      return result;
    } catch (error) {
      const translated = asStoreError(error);
      const saysNothing = mayBeSlow && (timedOut || tookTooLong(error));
      if (translated instanceof StoreUnavailableError && !closed && !saysNothing) outages.failed(translated);
      throw translated;
    }
  };

  const answer = async () =>
    void (await connection.getClient().db().admin().command({ ping: 1, maxTimeMS: storeTimeoutMs }));

  return {
    execute,
    clock: time.clock,
    ping: () => execute(answer, 'all'),
    missingIndexes: () => indexes.missing(),
    timeKnown: async () => {
      if (!time.isMeasured) await execute(answer);
    },
    drop: () =>
      execute(async () => {
        await indexes.settled();
        await connection.getClient().db().dropDatabase();
        indexes.forget();
      }),
    close: async () => {
      closed = true;
      // Not `close`: mongoose would keep the connection in its list, with all of its models.
      await connection.destroy(true);
    },
  };
};
