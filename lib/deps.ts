/** Every side effect there is, as one typed record. `lib/compose` makes it; everything else asks for the few it uses. */
import type { KeyObject } from 'node:crypto';
import type { Config, FunctionConfig } from './config.ts';
import type { Connections } from './connection.ts';
import type { Health } from './health.ts';
import type { Logger } from './log.ts';
import type { LongPolls } from './long-polls.ts';
import type {
  AccountStore,
  Clock,
  CounterStore,
  Feed,
  Hints,
  KeyStore,
  LaneBroker,
  LaneObserver,
  LaneStore,
  LedgerStore,
  PlanRun,
  Publisher,
  RunRequest,
  SnapshotFeed,
  UserQueueStore,
  WorkerStore,
} from './ports.ts';
import type { Tracing } from './tracing.ts';

/** Ask for what you use: `Pick<Deps, 'ledger' | 'clock'>`. */
export type Deps = {
  config: Config;
  clock: Clock;
  log: Logger;
  accounts: AccountStore;
  apiKeys: KeyStore;
  counters: CounterStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  lanes: LaneStore;
  workers: WorkerStore;
  passwords: Passwords;
  comparisons: Comparisons;
  publisher: Publisher;
  laneBroker: LaneBroker;
  planRun: PlanRun;
  runRequest: RunRequest;
  observer: LaneObserver;
};

/** Passwords are hashed in other threads: a hash takes as long as a hundred other calls. */
export interface Passwords {
  /**
   * Runs an operation that hashes, one password at a time. It may have to wait for its turn; sites take turns.
   *
   * @throws {BusyError} 503
   */
  admit<T>(site: string, operation: () => Promise<T>): Promise<T>;
  /** A new hash of the configured cost. */
  hash(password: string): Promise<string>;
  /** Whether the password has this hash. Takes as long without a hash, as for an unknown user. */
  verify(password: string, passwordHash: string | undefined): Promise<boolean>;
  /** Whether the password is one of those that are chosen, and guessed, most. */
  isCommon(password: string): Promise<boolean>;
  /** Whether the hash has another cost than new ones. */
  isOutdated(passwordHash: string): boolean;
  close(): Promise<void>;
}

/** Large requests are compared in another thread: it takes as long as many calls. */
export interface Comparisons {
  /**
   * Whether two JSON texts of a user are equal.
   *
   * @throws {BusyError} 503
   */
  isSameJson(one: string, other: string, userId: string): Promise<boolean>;
  close(): Promise<void>;
}

/** The secret that signs and verifies tokens. A `KeyObject` made once saves making a key for every token. */
export type TokenSecret = string | KeyObject;

/** The first signs tokens. All verify them, so that a secret can be changed while tokens live. */
export type TokenSecrets = readonly [TokenSecret, ...TokenSecret[]];

/** What the functions use. */
export type FunctionDeps = Pick<
  Deps,
  | 'clock'
  | 'log'
  | 'accounts'
  | 'apiKeys'
  | 'counters'
  | 'passwords'
  | 'comparisons'
  | 'userQueues'
  | 'ledger'
  | 'lanes'
  | 'workers'
  | 'publisher'
> & {
  config: FunctionConfig;
  tokenSecrets: TokenSecrets;
  longPolls: LongPolls;
  feed: Feed;
  overviews: SnapshotFeed;
  /** Tells whoever listens that something happened. */
  hints?: Hints;
  /** Resolves when `clock` shows MongoDB's time. */
  timeKnown(): Promise<void>;
  health(): Promise<Health>;
  /** How many WebSocket connections this process has: the gateway says so. */
  websockets: { open(): number };
  /** Those behind API Gateway. Our gateway knows its own. */
  connections: Connections;
  /** Where spans are made. */
  tracing?: Tracing;
  close(): Promise<void>;
};

/** The servers that a worker uses, and the time of MongoDB; the worker adds its own processor and observer. */
export type WorkerServers = Pick<
  Deps,
  'clock' | 'userQueues' | 'ledger' | 'lanes' | 'workers' | 'publisher' | 'laneBroker'
> & {
  hints?: Hints;
  /** The indexes that MongoDB lacks, as far as calls have found out. */
  missingIndexes(): string[];
  close(): Promise<void>;
};
