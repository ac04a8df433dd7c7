/** The composition root: the only file that sees the rooms and the servers. */
import type { Config } from './config.ts';
import type { Logger } from './log.ts';
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
} from './ports.ts';

/** Every side effect there is. Ask for the few you use: `Pick<Deps, 'ledger' | 'clock'>`. */
export type Deps = {
  config: Config;
  clock: Clock;
  log: Logger;
  accounts: AccountStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  lanes: LaneStore;
  publisher: Publisher;
  laneBroker: LaneBroker;
  runRequest: RunRequest;
  observer: LaneObserver;
};

/** What the functions work with. */
export type FunctionDeps = Pick<
  Deps,
  'config' | 'clock' | 'log' | 'accounts' | 'userQueues' | 'ledger' | 'publisher'
> & {
  /** Signs and verifies tokens. */
  tokenSecret: string;
  /** Each resolves when its server answers. */
  ping: { mongodb(): Promise<void>; rabbitmq(): Promise<void> };
  close(): Promise<void>;
};
