/** The composition root: the only file that sees the rooms and the servers. */
import { createSecretKey } from 'node:crypto';
import { loadTokenSecret } from './accounts/token-secret.ts';
import type { TokenSecret } from './accounts/tokens.ts';
import { createLaneBroker } from './broker/lane-broker.ts';
import { createPublisher } from './broker/publisher.ts';
import { systemClock } from './clock.ts';
import { type Config, loadConfig } from './config.ts';
import { createLogger, type Logger } from './log.ts';
import type {
  AccountStore,
  Clock,
  LaneBroker,
  LaneObserver,
  LaneStore,
  LedgerStore,
  Publisher,
  RunRequest,
  UserQueueStore,
  WorkerStore,
} from './ports.ts';
import { openStores } from './store/stores.ts';

/** Every side effect there is. Ask for the few you use: `Pick<Deps, 'ledger' | 'clock'>`. */
export type Deps = {
  config: Config;
  clock: Clock;
  log: Logger;
  accounts: AccountStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  lanes: LaneStore;
  workers: WorkerStore;
  publisher: Publisher;
  laneBroker: LaneBroker;
  runRequest: RunRequest;
  observer: LaneObserver;
};

/** What the functions work with. */
export type FunctionDeps = Pick<
  Deps,
  'config' | 'clock' | 'log' | 'accounts' | 'userQueues' | 'ledger' | 'workers' | 'publisher'
> & {
  /** Signs and verifies tokens. */
  tokenSecret: TokenSecret;
  /** Each resolves when its server answers. */
  ping: { mongodb(): Promise<void>; rabbitmq(): Promise<void> };
  close(): Promise<void>;
};

const openFunctionDeps = async (): Promise<FunctionDeps> => {
  const config = loadConfig(process.env, 'functions');
  const tokenSecret = createSecretKey(Buffer.from(await loadTokenSecret(config)));
  const log = createLogger(config.logLevel, { role: 'functions' });
  const stores = openStores(config, log);
  const publisher = createPublisher(config, log);
  return {
    config,
    clock: systemClock,
    log,
    accounts: stores.accounts,
    userQueues: stores.userQueues,
    ledger: stores.ledger,
    workers: stores.workers,
    publisher,
    tokenSecret,
    ping: { mongodb: stores.ping, rabbitmq: publisher.ping },
    close: async () => {
      await Promise.all([stores.close(), publisher.close()]);
    },
  };
};

let shared: Promise<FunctionDeps> | undefined;

/**
 * The functions' side effects, one set a process, made at the first call and again after that failed. Connections are
 * made when they are used, and replaced by the stores and the publisher when they died, as in a frozen Lambda.
 *
 * @throws {ConfigError} 500; {SecretUnavailableError} 503
 */
export const functionDeps = (): Promise<FunctionDeps> => {
  shared ??= openFunctionDeps().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
};

/** Ends the connections; the next call of `functionDeps` makes new ones. */
export const closeFunctionDeps = async (): Promise<void> => {
  const closing = shared;
  shared = undefined;
  await (await closing)?.close();
};

/** What a consumer's worker works with; it brings its own processor and observer. */
export type WorkerServers = Pick<Deps, 'userQueues' | 'ledger' | 'lanes' | 'workers' | 'publisher' | 'laneBroker'> & {
  close(): Promise<void>;
};

/** Connections are made when they are used: a worker starts before its servers, and waits for them. */
export const openWorkerServers = (config: Config, log: Logger): WorkerServers => {
  const stores = openStores(config, log);
  const publisher = createPublisher(config, log);
  const laneBroker = createLaneBroker(config, log);
  return {
    userQueues: stores.userQueues,
    ledger: stores.ledger,
    lanes: stores.lanes,
    workers: stores.workers,
    publisher,
    laneBroker,
    close: async () => {
      await Promise.all([stores.close(), publisher.close(), laneBroker.close()]);
    },
  };
};
