/** The composition root of the functions: only this file connects them to their servers. */
import { env } from 'node:process';
import { createPasswords } from '../accounts/passwords.ts';
import { tokenKeysOf } from '../accounts/token-secrets.ts';
import { createHintReceiver } from '../broker/hint-receiver.ts';
import { createPublisher } from '../broker/publisher.ts';
import { isApiWorker } from '../cluster/api-workers.ts';
import { type FunctionConfig, loadConfig } from '../config.ts';
import type { FunctionDeps } from '../deps.ts';
import { createFeed } from '../events/feed.ts';
import { createSnapshotFeed } from '../events/snapshot-feed.ts';
import { createStreamPlaces } from '../events/stream-places.ts';
import { createHealthCheck } from '../health.ts';
import { createLogger, type Logger, outputByTurn } from '../log.ts';
import { createLongPolls } from '../long-polls.ts';
import { createComparisons } from '../requests/comparisons.ts';
import { createOperations, type Operations } from '../requests/operations.ts';
import { overviewSnapshot } from '../requests/overview.ts';
import { resolveSecrets } from '../secrets.ts';
import { sharePromise } from '../shared-promise.ts';
import { openStores, type Stores } from '../store/stores.ts';
import { openTracing } from '../telemetry/open-tracing.ts';
import { storedConnections } from '../websocket/stored-connections.ts';
import { shareOfWorker } from '../worker-share.ts';

/** What is streamed shares its places. */
const openFeeds = (
  config: FunctionConfig,
  log: Logger,
  stores: Stores,
  operations: Pick<Operations, 'overview'>,
): Pick<FunctionDeps, 'feed' | 'overviews'> => {
  const shared = { ...stores, log, places: createStreamPlaces(config) };
  // A function of AWS Lambda stands still between its calls, and would lose the connection.
  const hears = env.AWS_LAMBDA_FUNCTION_NAME === undefined;
  return {
    feed: createFeed({ ...shared, openHints: hears ? (heard) => createHintReceiver(config, log, heard) : undefined }),
    overviews: createSnapshotFeed({ ...shared, read: async () => overviewSnapshot(await operations.overview()) }),
  };
};

const openFunctionDeps = async (): Promise<FunctionDeps> => {
  const whole: FunctionConfig = loadConfig(await resolveSecrets(env, 'functions'), 'functions');
  const config = isApiWorker() ? shareOfWorker(whole) : whole;
  const bindings = { role: 'functions', ...(isApiWorker() && { pid: process.pid }) };
  const log = createLogger(config.logLevel, bindings, outputByTurn());
  const tracing = await openTracing(config, 'lanekeeper-functions', log);
  const stores = openStores(config, log);
  const publisher = createPublisher(config, log);
  const passwords = createPasswords(config);
  const comparisons = createComparisons();
  const ping = { mongodb: stores.ping, rabbitmq: publisher.ping };
  const health = createHealthCheck({ ping, clock: stores.clock, log });
  const { hints } = publisher;
  const operations = createOperations({ ...stores, config, log, publisher, comparisons, health, hints });
  const { feed, overviews } = openFeeds(config, log, stores, operations);
  return {
    config,
    clock: stores.clock,
    timeKnown: stores.timeKnown,
    log,
    accounts: stores.accounts,
    apiKeys: stores.apiKeys,
    counters: stores.counters,
    userQueues: stores.userQueues,
    ledger: stores.ledger,
    lanes: stores.lanes,
    workers: stores.workers,
    websockets: { open: () => 0 },
    connections: storedConnections(stores.connections, { ...stores, config }),
    publisher,
    tracing,
    // `loadConfig` requires it of functions.
    tokenSecrets: tokenKeysOf(config.jwtSecret as string),
    passwords,
    comparisons,
    longPolls: createLongPolls(stores.clock, config),
    feed,
    overviews,
    hints,
    health,
    close: async () => {
      overviews.close();
      await feed.close();
      await Promise.all([stores.close(), publisher.close(), passwords.close(), comparisons.close()]);
      await tracing?.close();
    },
  };
};

const shared = sharePromise(openFunctionDeps);

/**
 * The side effects of the functions, made once per process by the first call. After a failure the next call tries again.
 * The stores and the publisher connect when they are used, and replace a connection that died, as it does in a frozen Lambda.
 *
 * @throws {ConfigError} 500; {SecretUnavailableError} 503
 */
export const functionDeps = (): Promise<FunctionDeps> => shared.get();

/** Closes the connections. The next call of `functionDeps` makes new ones. */
export const closeFunctionDeps = async (): Promise<void> => {
  const closing = shared.current();
  shared.forget(closing);
  await (await closing)?.close();
};
