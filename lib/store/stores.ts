/** MongoDB: accounts, user queues, the ledger, leases and heartbeats. The only folder that knows mongoose. */
import type { Config } from '../config.ts';
import { createLogger, type Logger } from '../log.ts';
import type { AccountStore, LaneStore, LedgerStore, UserQueueStore, WorkerStore } from '../ports.ts';
import { accountStore } from './accounts.ts';
import { connectStore } from './connection.ts';
import { laneStore } from './lanes.ts';
import { ledgerStore } from './ledger.ts';
import { userQueueStore } from './user-queues.ts';
import { workerStore } from './workers.ts';

export type Stores = {
  accounts: AccountStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  lanes: LaneStore;
  workers: WorkerStore;
  /** Resolves when MongoDB answers. Like any first call, connects and creates the indexes. */
  ping(): Promise<void>;
  /** Drops the database: for tests. */
  drop(): Promise<void>;
  /** Every call after it rejects. */
  close(): Promise<void>;
};

/**
 * Opens a connection of its own, lazily: the first call connects and creates the indexes.
 *
 * Every statement ends within `storeTimeoutMs`, and every call takes a few statements at most. A statement that timed out may
 * still have an effect. All writes are safe to repeat, except that a repeated ticket or lease takes one more.
 *
 * @param log reports when MongoDB cannot be reached, and when it can again. Silent by default.
 * @throws {StoreUnavailableError} (every method) when MongoDB cannot be reached or does not answer in time.
 */
export const openStores = (
  config: Pick<Config, 'mongodbUrl' | 'storeTimeoutMs'>,
  log: Pick<Logger, 'warn' | 'info'> = createLogger('silent'),
): Stores => {
  const { execute, ping, drop, close } = connectStore(config, log);
  return {
    accounts: accountStore(execute),
    userQueues: userQueueStore(execute),
    ledger: ledgerStore(execute),
    lanes: laneStore(execute),
    workers: workerStore(execute),
    ping,
    drop,
    close,
  };
};
