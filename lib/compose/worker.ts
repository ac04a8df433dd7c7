/** Composition root of a worker: the only file that gives it its servers. */
import { createLaneBroker } from '../broker/lane-broker.ts';
import { createPublisher } from '../broker/publisher.ts';
import type { Config } from '../config.ts';
import type { WorkerServers } from '../deps.ts';
import type { Logger } from '../log.ts';
import { openStores } from '../store/stores.ts';

/** Connects on first use: a worker may start before its servers and waits for them. */
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
