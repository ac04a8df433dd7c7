/** MongoDB: accounts, user queues, the ledger and the lanes' leases. The only room that knows mongoose. */
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
  /** Connects and makes the indexes. Optional, idempotent, and may be called concurrently. */
  ready(): Promise<void>;
  ping(): Promise<void>;
  /** Drops the database: for tests. */
  drop(): Promise<void>;
  /** Every call after it rejects. */
  close(): Promise<void>;
};

/**
 * Opens one connection of its own, lazily: the first call connects and makes the indexes.
 *
 * Every statement ends within `storeTimeoutMs`; no call takes more than a few. One that was given up may still have an effect: all writes are safe to repeat, except that
 * a repeated ticket or lease takes one more.
 *
 * @param log is told when MongoDB cannot be reached, and when it can again; nobody is by default.
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
    ready: ping,
    ping,
    drop,
    close,
  };
};
