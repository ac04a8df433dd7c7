/** MongoDB: accounts, API keys, counters, user queues, the ledger, leases and heartbeats. The only folder that knows mongoose. */
import { createLogger, type Logger } from '../log.ts';
import type {
  AccountStore,
  Clock,
  ConnectionStore,
  CounterStore,
  EventStore,
  KeyStore,
  LaneStore,
  LedgerStore,
  UserQueueStore,
  WorkerStore,
} from '../ports.ts';
import { accountStore } from './accounts.ts';
import { connectStore, type StoreConfig } from './connection.ts';
import { connectionStore } from './connections.ts';
import { counterStore } from './counters.ts';
import { eventStore } from './events.ts';
import { keyStore } from './keys.ts';
import { laneStore } from './lanes.ts';
import { nameLateOperations } from './late-operations.ts';
import { ledgerStore } from './ledger.ts';
import { type Migrated, migrate } from './migrate.ts';
import { asStoreError } from './unavailable.ts';
import { userQueueStore } from './user-queues.ts';
import { workerStore } from './workers.ts';

export type Stores = {
  accounts: AccountStore;
  apiKeys: KeyStore;
  counters: CounterStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  events: EventStore;
  lanes: LaneStore;
  workers: WorkerStore;
  connections: ConnectionStore;
  /**
   * MongoDB's time, which is the same for all processes however the clocks of their hosts are set. Until the first operation it is
   * the host's.
   */
  clock: Clock;
  /** Resolves when `clock` shows MongoDB's time. */
  timeKnown(): Promise<void>;
  /** Resolves when MongoDB answers and has the unique indexes. Like any first call, connects. */
  ping(): Promise<void>;
  /** The indexes that MongoDB lacks, as far as calls have found out. */
  missingIndexes(): string[];
  /** Drops the database: for tests. */
  drop(): Promise<void>;
  /** Every call after it rejects. */
  close(): Promise<void>;
};

/**
 * Creates the indexes that are missing, however long that takes, and finds those that are not needed any more.
 *
 * @throws {MigrationError} The message says what is in the way, and what to do. {ConfigError} {StoreUnavailableError}
 */
export const migrateDatabase = (config: StoreConfig): Promise<Migrated> =>
  migrate(config).catch((error) => {
    throw asStoreError(error);
  });

/**
 * Opens a connection of its own, lazily: the first call connects and checks the indexes.
 *
 * Every statement ends within `storeTimeoutMs`, and every call takes a few statements at most. A statement that timed out may
 * still have an effect. All writes are safe to repeat, except that a repeated ticket or lease takes one more.
 *
 * @param log reports when MongoDB cannot be reached, and when it can again. Silent by default.
 * @param hostClock its monotonic clock carries MongoDB's time from one measurement to the next.
 * @throws {ConfigError} when the URL cannot be used.
 * @throws {StoreUnavailableError} (every method) when MongoDB cannot be reached or does not answer in time; {NotMigratedError} when a
 * unique index is missing on which the call depends.
 */
export const openStores = (
  config: StoreConfig,
  log: Pick<Logger, 'warn' | 'info'> = createLogger('silent'),
  hostClock?: Clock,
): Stores => {
  const { execute, clock, timeKnown, ping, missingIndexes, drop, close } = connectStore(config, log, hostClock);
  const named = <Store extends object>(name: string, store: Store): Store =>
    nameLateOperations(name, store, { log, storeTimeoutMs: config.storeTimeoutMs });
  return {
    accounts: named('accounts', accountStore(execute)),
    apiKeys: named('apiKeys', keyStore(execute)),
    counters: named('counters', counterStore(execute)),
    userQueues: named('userQueues', userQueueStore(execute, clock)),
    ledger: named('ledger', ledgerStore(execute)),
    events: named('events', eventStore(execute)),
    lanes: named('lanes', laneStore(execute)),
    workers: named('workers', workerStore(execute)),
    connections: named('connections', connectionStore(execute)),
    clock,
    timeKnown,
    ping,
    missingIndexes,
    drop,
    close,
  };
};
