/** The library: everything that the HTTP API can do, and the consumer, in a process of your own. */
import { openLibraryDeps } from '../compose/library.ts';
import { createOperations } from '../requests/operations.ts';
import { startConsumer } from './consume.ts';
import { createConsumers } from './consumers.ts';
import { loggerOf } from './logger.ts';
import { createOperatorCalls, type OperatorCalls } from './operator-calls.ts';
import { configOf, resolvedEnvironmentOf } from './settings.ts';
import type { ConsumedProcessor, ConsumeOptions, Consumer, LanekeeperOptions } from './types.ts';
import { createUserCalls, createWaiting, type UserCalls } from './user-calls.ts';

export interface Lanekeeper extends UserCalls, OperatorCalls {
  /**
   * Runs requests: those of all users, whoever enqueued them. Resolves when the consumer stands by on its lanes.
   *
   * @param processor a function, or a module: a path from the working folder, a file URL or a package. Only a module can run isolated, in
   *   another process, when its runs end their process.
   * @throws {ProcessorLoadError} {ConsumerFailedError} {ConfigError}; {StoreUnavailableError} after `close`
   */
  consume(processor: ConsumedProcessor, options?: ConsumeOptions): Promise<Consumer>;
  /**
   * Closes its consumers, even those that are starting, then its connections. It does not wait for runs that ignore their signal: the
   * process ends by itself when they have ended.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const openLanekeeper = async (options: LanekeeperOptions): Promise<Lanekeeper> => {
  const environment = await resolvedEnvironmentOf(options);
  const config = configOf(environment);
  const log = loggerOf({ logger: options.logger, logLevel: environment.LOG_LEVEL ? config.logLevel : undefined });
  const deps = await openLibraryDeps(config, log);
  const operations = createOperations(deps);
  const waiting = createWaiting(deps);
  const consumers = createConsumers(log);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= consumers.close().finally(() => deps.close());
    return closing;
  };
  return {
    ...createUserCalls(operations, deps, waiting),
    ...createOperatorCalls(operations, deps, waiting),
    consume: (processor, own = {}) => consumers.start(() => startConsumer(processor, own, { environment, log })),
    close,
    [Symbol.asyncDispose]: close,
  };
};
