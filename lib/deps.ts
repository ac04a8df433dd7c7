/** The composition root: the only file that sees the rooms and the servers. */
import { createPublisher } from './broker/publisher.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { createLogger, type Logger } from './log.ts';
import type { AccountStore, Clock, LaneBroker, LaneStore, LedgerStore, Publisher, UserQueueStore } from './ports.ts';
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
  publisher: Publisher;
  laneBroker: LaneBroker;
};
