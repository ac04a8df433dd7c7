/** The dependencies of a function, connected to the servers without a proxy. */
import { createPublisher } from '../../lib/broker/publisher.ts';
import { loadConfig } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { openStores } from '../../lib/store/stores.ts';
import type { Stage } from './stage.ts';

/** Long enough for an outage of a server. */
const patient = { PUBLISH_TIMEOUT_MS: '10000', STORE_TIMEOUT_MS: '20000' };

export const openDirectDeps = (
  { env, servers }: Pick<Stage, 'env' | 'servers'>,
  timeouts: Record<string, string> = patient,
) => {
  const urls = { MONGODB_URL: servers.store.url, RABBITMQ_URL: servers.broker.url };
  const config = loadConfig({ ...env, ...urls, ...timeouts }, 'functions');
  const log = createLogger('silent', { role: 'chaos' });
  const stores = openStores(config);
  const publisher = createPublisher(config, log);
  return { ...stores, publisher, log, config };
};
