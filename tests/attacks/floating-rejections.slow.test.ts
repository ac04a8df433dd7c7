/** Rejected promises that one user's runs leave unhandled do not touch the runs of others [M2, F11]. On real processes and servers. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { consumerScript, startCluster } from '../consumer/support/cluster.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const startWorker = (world: World, env: Record<string, string> = {}) =>
  startCluster(
    {
      ...serversOf(world),
      PROCESSOR: fileURLToPath(new URL('./processors/floating.ts', import.meta.url)),
      WORKERS: '1',
      ...env,
    },
    consumerScript,
  );

const rejectionLine = 'a processor left a rejected promise unhandled; the process goes on';

test('five unhandled rejections of one user end no worker and interrupt nobody; each is counted and logged with its run', async () => {
  const until = join(tmpdir(), uniqueName('floating'));
  await using world = await openWorld();
  await using cluster = startWorker(world);
  const [innocent, guilty] = [await world.user(), await world.user()];
  try {
    await world.enqueue(innocent, { until });
    await eventually(
      'the other run is under way',
      async () => {
        return (await world.entry(innocent, 1))?.status === 'processing';
      },
      60_000,
    );
    // Three while they run, and two when their request has been settled.
    for (const floats of ['now', 'now', 'now', 'later', 'later']) await world.enqueue(guilty, { floats });
    await world.settled(guilty, 5, 60_000);
    await cluster.logged((line) => line.msg === rejectionLine, 5);
    const lines = cluster.lines.filter((line) => line.msg === rejectionLine);
    const inFlight = expect.arrayContaining([{ userId: innocent.userId, seq: 1, attempt: 1 }]);
    for (const line of lines)
      expect(line).toMatchObject({ level: 50, inFlight, err: { message: 'nobody awaits this' } });
    expect(lines.map(({ run }) => run)).toEqual(
      expect.arrayContaining([1, 2, 3, 4, 5].map((seq) => ({ userId: guilty.userId, seq, attempt: 1 }))),
    );
    expect((await cluster.get('/metrics')).text).toContain('lanekeeper_unhandled_rejections_total 5\n');
    writeFileSync(until, '');
    expect(await world.settled(innocent, 1, 60_000)).toMatchObject({ status: 'done', attempts: 1 });
    expect(cluster.lines.filter((line) => line.msg === 'worker exited')).toEqual([]);
  } finally {
    rmSync(until, { force: true });
  }
});

test('reasons that cannot be read end no worker: each is counted', async () => {
  await using world = await openWorld();
  await using cluster = startWorker(world);
  const user = await world.user();
  await world.enqueue(user, { floats: 'hostile' });
  await world.enqueue(user, {});
  expect(await world.settled(user, 2, 60_000)).toMatchObject({ status: 'done', attempts: 1 });
  expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 1 });
  await cluster.logged((line) => line.msg === rejectionLine, 10);
  expect((await cluster.get('/metrics')).text).toContain('lanekeeper_unhandled_rejections_total 10\n');
  expect(cluster.lines.filter((line) => line.msg === 'worker exited')).toEqual([]);
});

test('UNHANDLED_REJECTION=exit ends the worker at an unhandled rejection', async () => {
  await using world = await openWorld();
  await using cluster = startWorker(world, { UNHANDLED_REJECTION: 'exit' });
  await world.enqueue(await world.user(), { floats: 'now' });
  expect(await cluster.logged((line) => line.msg === 'worker exited')).toMatchObject({ code: 1 });
});
