/** Composition root of the library: only this file connects it to its servers. */
import { createPublisher } from '../broker/publisher.ts';
import type { Config } from '../config.ts';
import { createHealthCheck } from '../health.ts';
import type { Logger } from '../log.ts';
import { createLongPolls, type LongPolls } from '../long-polls.ts';
import { createComparisons } from '../requests/comparisons.ts';
import type { OperationDeps } from '../requests/operations.ts';
import { openStores } from '../store/stores.ts';
import { openTracing } from '../telemetry/open-tracing.ts';

export type LibraryDeps = OperationDeps & {
  config: Config;
  log: Logger;
  longPolls: LongPolls;
  close(): Promise<void>;
};

/**
 * Connects to MongoDB; to RabbitMQ with the first message, because a request is accepted while RabbitMQ is away.
 *
 * @throws {ConfigError} {StoreUnavailableError}; {NotMigratedError} when indexes are missing
 */
export const openLibraryDeps = async (config: Config, log: Logger): Promise<LibraryDeps> => {
  const tracing = await openTracing(config, 'lanekeeper-library', log);
  const stores = openStores(config, log);
  const publisher = createPublisher(config, log);
  const comparisons = createComparisons();
  const close = async () => {
    await Promise.all([stores.close(), publisher.close(), comparisons.close()]);
    await tracing?.close();
  };
  try {
    await stores.ping();
    await stores.timeKnown();
  } catch (error) {
    await close();
    throw error;
  }
  const { clock, accounts, userQueues, ledger, workers } = stores;
  // All waits are one caller's: this process.
  const longPolls = createLongPolls(clock, { ...config, maxKeyPolls: config.maxPolls });
  const health = createHealthCheck({ ping: { mongodb: stores.ping, rabbitmq: publisher.ping }, clock, log });
  const ports = { clock, accounts, userQueues, ledger, workers, publisher, health, hints: publisher.hints };
  return { ...ports, config, log, comparisons, longPolls, tracing, close };
};
