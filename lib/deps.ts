/** Every side effect there is, as one typed record. `lib/compose` makes it; everything else asks for the few it uses. */
import type { KeyObject } from 'node:crypto';
import type { Config, FunctionConfig } from './config.ts';
import type { Health } from './health.ts';
import type { Logger } from './log.ts';
import type { LongPolls } from './long-polls.ts';
import type {
  AccountStore,
  Clock,
  LaneBroker,
  LaneObserver,
  LaneStore,
  LedgerStore,
  PlanRun,
  Publisher,
  RunRequest,
  UserQueueStore,
  WorkerStore,
} from './ports.ts';

/** Ask for what you use: `Pick<Deps, 'ledger' | 'clock'>`. */
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
  planRun: PlanRun;
  runRequest: RunRequest;
  observer: LaneObserver;
};

/** The secret that signs and verifies tokens. A `KeyObject` made once saves making a key for every token. */
export type TokenSecret = string | KeyObject;

/** What the functions use. */
export type FunctionDeps = Pick<
  Deps,
  'clock' | 'log' | 'accounts' | 'userQueues' | 'ledger' | 'workers' | 'publisher'
> & {
  config: FunctionConfig;
  tokenSecret: TokenSecret;
  longPolls: LongPolls;
  /** Resolves when `clock` shows MongoDB's time. */
  timeKnown(): Promise<void>;
  health(): Promise<Health>;
  close(): Promise<void>;
};

/** The servers that a worker uses, and the time of MongoDB; the worker adds its own processor and observer. */
export type WorkerServers = Pick<
  Deps,
  'clock' | 'userQueues' | 'ledger' | 'lanes' | 'workers' | 'publisher' | 'laneBroker'
> & {
  close(): Promise<void>;
};
