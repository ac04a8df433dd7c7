/** What `/healthz` and `/livez` of a real consumer answer while lanes have no owner. */
import { expect, jest, test } from '@jest/globals';
import type { Config } from '../../lib/config.ts';
import { openStores } from '../../lib/store/stores.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually, openWorld } from '../support/world.ts';
import { consumerScript, startCluster, type TestCluster } from './support/cluster.ts';

jest.setTimeout(180_000);

const startConsumer = (config: Config, env: Record<string, string> = {}): TestCluster =>
  startCluster(
    {
      MONGODB_URL: config.mongodbUrl,
      RABBITMQ_URL: config.rabbitmqUrl,
      QUEUE_PREFIX: config.queuePrefix,
      LANES: String(config.lanes),
      BALANCE_MS: '300',
      WORKERS: '1',
      UNHEALTHY_AFTER_MS: '3000',
      ...env,
    },
    consumerScript,
  );

const statusOf = async (cluster: TestCluster, path: string): Promise<number> => (await cluster.get(path)).status;

const untilStatus = (cluster: TestCluster, status: number): Promise<unknown> =>
  eventually(`/healthz answers ${status}`, async () => (await statusOf(cluster, '/healthz')) === status, 60_000);

const untilOwned = (cluster: TestCluster, lanes: number): Promise<unknown> =>
  eventually(
    `${lanes} lanes are owned`,
    async () => JSON.parse((await cluster.get('/healthz')).text).workers[0].snapshot?.lanesOwned === lanes,
    60_000,
  );

test('a consumer with too few channels is not ready, says why, and is ready again when another one owns the rest', async () => {
  await using world = await openWorld({ lanes: 4 });
  const url = new URL(world.config.rabbitmqUrl);
  url.searchParams.set('channelMax', '2');
  await using cluster = startConsumer({ ...world.config, rabbitmqUrl: url.href });
  await untilOwned(cluster, 2);
  await untilStatus(cluster, 503);
  const { text } = await cluster.get('/healthz');
  expect(JSON.parse(text).reason).toMatch(/no known owner for up to \d+ s \(UNHEALTHY_AFTER_MS is 3000\): 2, namely/);
  expect(await statusOf(cluster, '/livez')).toBe(200);
  await cluster.logged((line) => line.msg === 'lanes have no owner');
  const warnings = cluster.lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
  expect(warnings).toEqual(['RabbitMQ allows too few channels', 'lanes have no owner']);

  await using other = startConsumer(world.config);
  await untilStatus(cluster, 200);
  expect(await statusOf(other, '/healthz')).toBe(200);
  await cluster.logged((line) => line.msg === 'every lane has an owner again');
});

test('a consumer whose RabbitMQ is away is alive and not ready, and both again when it is back', async () => {
  await using world = await openWorld({ lanes: 4 });
  const proxy = await startProxyTo(world.config.rabbitmqUrl);
  await using _closed = { [Symbol.asyncDispose]: () => proxy.close() };
  await using cluster = startConsumer({ ...world.config, rabbitmqUrl: proxy.url });
  await untilOwned(cluster, 4);
  await proxy.cut();
  await untilStatus(cluster, 503);
  expect(await statusOf(cluster, '/livez')).toBe(200);
  await proxy.restore();
  await untilStatus(cluster, 200);
  expect(cluster.workerPids()).toHaveLength(1);
});

test('a consumer whose MongoDB lacks indexes is ready, and says which', async () => {
  await using world = await openWorld({ lanes: 4 });
  const bare = { ...world.config, mongodbUrl: mongodbUrl(uniqueName('bare')), autoMigrate: 0 };
  const stores = openStores(bare);
  await using _dropped = {
    [Symbol.asyncDispose]: async () => {
      await stores.drop();
      await stores.close();
    },
  };
  await using cluster = startConsumer(bare, { AUTO_MIGRATE: '0' });
  await untilOwned(cluster, 4);
  const { status, text } = await cluster.get('/healthz');
  expect(status).toBe(200);
  expect(JSON.parse(text).missingIndexes).toContain('requests.userId_1_key_1');
});

test('a hand-over does not make a consumer unready', async () => {
  await using world = await openWorld({ lanes: 8 });
  await using cluster = startConsumer(world.config);
  await untilOwned(cluster, 8);
  const reasons: unknown[] = [];
  const check = async () => {
    const { status, text } = await cluster.get('/healthz');
    if (status !== 200) reasons.push(JSON.parse(text).reason);
  };
  const poll = setInterval(() => void check().catch(() => undefined), 50);
  await using other = startConsumer(world.config);
  await untilOwned(cluster, 4);
  other.signal('SIGTERM');
  await other.exited;
  await untilOwned(cluster, 8);
  clearInterval(poll);
  expect(reasons).toEqual([]);
});
