/** The library: everything that the HTTP API can do, and the consumer, in a process of your own. */
import { openLibraryDeps } from '../compose/library.ts';
import { createOperations } from '../requests/operations.ts';
import { startConsumer } from './consume.ts';
import { loggerOf } from './logger.ts';
import { createOperatorCalls, type OperatorCalls } from './operator-calls.ts';
import { configOf, environmentOf } from './settings.ts';
import type { ConsumedProcessor, ConsumeOptions, Consumer, LanekeeperOptions } from './types.ts';
import { createUserCalls, createWaiting, type UserCalls } from './user-calls.ts';

export interface Lanekeeper extends UserCalls, OperatorCalls {
  /**
   * Runs requests: those of all users, whoever enqueued them. Resolves when the consumer stands by on its lanes.
   *
   * @param processor a function, or a module: a path from the working folder, a file URL or a package. Only a module can run isolated, in
   *   another process, when its runs end their process.
   * @throws {ProcessorLoadError} {ConfigError}
   */
  consume(processor: ConsumedProcessor, options?: ConsumeOptions): Promise<Consumer>;
  /** Closes its consumers, then its connections. Nothing keeps the process alive after it. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const openLanekeeper = async (options: LanekeeperOptions): Promise<Lanekeeper> => {
  const environment = environmentOf(options);
  const config = configOf(environment);
  const log = loggerOf({ logger: options.logger, logLevel: environment.LOG_LEVEL ? config.logLevel : undefined });
  const deps = await openLibraryDeps(config, log);
  const operations = createOperations(deps);
  const waiting = createWaiting(deps);
  const consumers = new Set<Consumer>();

  const close = async (): Promise<void> => {
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    await deps.close();
  };
  return {
    ...createUserCalls(operations, deps, waiting),
    ...createOperatorCalls(operations, deps, waiting),
    consume: async (processor, own = {}) => {
      const consumer = await startConsumer(processor, own, { environment, log });
      consumers.add(consumer);
      return consumer;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};
