/** Composition root of the functions: the only file that gives them their servers. */
import { createSecretKey } from 'node:crypto';
import { loadTokenSecret } from '../accounts/token-secret.ts';
import { createPublisher } from '../broker/publisher.ts';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import type { FunctionDeps } from '../deps.ts';
import { createLogger } from '../log.ts';
import { openStores } from '../store/stores.ts';

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
