import { describe, expect, jest, test } from '@jest/globals';
import type { Config } from '../../lib/config.ts';
import { runsSupportFile } from '../runs/support/support-file.ts';
import { eventually, openWorld } from '../support/world.ts';
import { consumerScript, isAlive, startCluster, supportFile } from './support/cluster.ts';

jest.setTimeout(60_000);

const startConsumer = (config: Config, env: Record<string, string> = {}, script = consumerScript) =>
  startCluster(
    {
      MONGODB_URL: config.mongodbUrl,
      RABBITMQ_URL: config.rabbitmqUrl,
      QUEUE_PREFIX: config.queuePrefix,
      LANES: String(config.lanes),
      PROCESSOR: runsSupportFile('processors/waiting.ts'),
      RETRY_BASE_MS: '5',
      RETRY_MAX_MS: '20',
      SWEEP_MS: '300',
      BALANCE_MS: '300',
      STUCK_AFTER_MS: '1000',
      GRACE_MS: '5000',
      WORKERS: '2',
      ...env,
    },
    script,
  );

describe('the consumer', () => {
  test('processes requests, with retries in place, and counts them in its metrics', async () => {
    await using world = await openWorld();
    await using cluster = startConsumer(world.config);
    const users = await Promise.all([world.user(), world.user(), world.user()]);
    await Promise.all(
      users.map(async (user) => {
        await world.enqueue(user, { ms: 5 });
        await world.enqueue(user, { failUntil: 3 });
        await world.enqueue(user, { never: true });
        await world.enqueue(user, {});
      }),
    );
    for (const user of users) {
      expect(await world.settled(user, 4, 30_000)).toMatchObject({ status: 'done', result: '{"seq":4,"attempt":1}' });
      expect(await world.entry(user, 2)).toMatchObject({
        status: 'done',
        attempts: 3,
        result: '{"seq":2,"attempt":3}',
      });
      expect(await world.entry(user, 3)).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: { name: 'UnrecoverableError', message: 'never' },
      });
      const entries = await world.deps.ledger.page(user.userId, { after: 0, limit: 10 });
      const times = entries.map((entry) => entry.settledAt!.getTime());
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
    // A worker counts a settlement a moment after it is in the ledger, and nobody owns a lane that is on its way to a worker.
    const counted = ['lanekeeper_settled_total{status="done"} 9\n', 'lanekeeper_lanes_owned 4\n'];
    const text = await eventually('all are counted', async () => {
      const { text } = await cluster.get('/metrics');
      return counted.every((line) => text.includes(line)) && text;
    });
    expect(text).toContain('lanekeeper_settled_total{status="failed"} 3\n');
    expect(text).toContain('lanekeeper_retries_total 6\n');
    expect(text).toContain('lanekeeper_accepted_to_settled_seconds_count 12\n');
  });

  test('at SIGTERM lets runs end and records them before it exits', async () => {
    await using world = await openWorld();
    await using cluster = startConsumer(world.config, { WORKERS: '1' });
    const user = await world.user();
    await world.enqueue(user, { ms: 1_500 });
    await eventually('the run has begun', async () => (await world.entry(user, 1))?.status === 'processing', 20_000);
    cluster.signal('SIGTERM');
    expect(await cluster.exited).toEqual({ code: 0, signal: null });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 1 });
  });

  test('another worker repeats the run of a killed one', async () => {
    await using world = await openWorld();
    await using cluster = startConsumer(world.config, { LOG_LEVEL: 'debug' });
    const user = await world.user();
    await cluster.logged((line) => line.msg === 'worker running', 2);
    await world.enqueue(user, { ms: 1_000 });
    const begun = await cluster.logged((line) => line.msg === 'run started');
    process.kill(begun.pid!, 'SIGKILL');
    expect(await world.settled(user, 1, 20_000)).toMatchObject({ status: 'done', attempts: 2 });
    const again = await cluster.logged((line) => line.msg === 'run started', 2);
    expect(again.pid).not.toBe(begun.pid);
    expect(again.fencingToken).toBeGreaterThan(begun.fencingToken as number);
  });

  test('workers that outlive their primary hand everything over and exit', async () => {
    await using world = await openWorld();
    await using cluster = startConsumer(world.config, { WORKERS: '1' });
    const user = await world.user();
    await world.enqueue(user, { ms: 1_000 });
    await eventually('the run has begun', async () => (await world.entry(user, 1))?.status === 'processing', 20_000);
    cluster.signal('SIGKILL');
    await eventually('the worker has ended', () => !cluster.workerPids().some(isAlive), 20_000);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 1 });
  });

  test('logs why a worker cannot keep its lanes, stops that worker and starts another', async () => {
    await using world = await openWorld();
    await using cluster = startConsumer(world.config, { WORKERS: '1' }, supportFile('refused-consumer.ts'));
    expect(await cluster.logged((line) => line.level === 60)).toMatchObject({
      role: 'worker',
      msg: 'the worker failed: not authorized on lanekeeper',
      err: { message: 'not authorized on lanekeeper' },
    });
    await cluster.logged((line) => line.msg === 'worker failed');
    expect(await cluster.logged((line) => line.reason === 'died' && line.code !== undefined)).toMatchObject({
      code: 1,
    });
    await cluster.logged((line) => line.slot === 0 && line.workerPid !== undefined, 3);
    // Node prints its version below an unhandled rejection.
    expect(cluster.output()).not.toContain(process.version);
  });

  test.each([
    ['its environment is invalid', { WORKERS: 'many' }, 'WORKERS must be a whole number'],
    ['its port is not available', { METRICS_HOST: '192.0.2.1' }, 'Cannot serve /metrics on 192.0.2.1'],
    ['MONGODB_URL has an unknown option', { MONGODB_URL: 'mongodb://host/?foo=1' }, 'MONGODB_URL: foo: no such option'],
    ['its processor cannot be loaded', { PROCESSOR: './nowhere.ts' }, 'does not exist'],
  ])('prints why it cannot start when %s', async (_name, env, reason) => {
    await using world = await openWorld();
    await using cluster = startConsumer(world.config, env);
    expect(await cluster.exited).toEqual({ code: 1, signal: null });
    expect(cluster.output()).toContain(reason);
    // In words: no uncaught exception.
    expect(cluster.output()).not.toContain(process.version);
  });
});
