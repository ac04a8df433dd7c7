/** Processes that wait for a reload. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';
import { consumerScript, isAlive, type LogLine, startCluster } from './support/cluster.ts';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-spare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spareStarted = (line: LogLine) => line.msg === 'spare worker started';
const done = (line: LogLine) => line.msg?.startsWith('reload done') ?? false;

/** A consumer with one worker and one spare process. It answers with the text that was written last. */
const openSpared = async (world: World, name: string) => {
  const file = join(folder, `${name}.ts`);
  const edit = (version: string) => writeFileSync(file, `export default async () => '${version}';\n`);
  edit('first');
  const env = { ...serversOf(world), PROCESSOR: file, WORKERS: '1', SPARE_WORKERS: '1', GRACE_MS: '80000' };
  const cluster = startCluster(env, consumerScript);
  await cluster.logged((line) => line.msg === 'worker running');
  const spare = (await cluster.logged(spareStarted)).workerPid!;
  const user = await world.user();
  const result = async (): Promise<unknown> => {
    const { seq } = await world.enqueue(user, {});
    return JSON.parse((await world.settled(user, seq, 30_000)).result ?? 'null');
  };
  return { cluster, edit, spare, result };
};

test('a reload takes the spare process, which loads the newest code, and another one waits afterwards', async () => {
  await using world = await openWorld();
  const { cluster, edit, spare, result } = await openSpared(world, 'taken');
  await using _ = cluster;
  expect(cluster.workerPids()).not.toContain(spare);
  expect(await result()).toBe('first');

  edit('second');
  cluster.signal('SIGUSR2');
  await cluster.logged(done);
  expect(cluster.workerPids()).toHaveLength(2);
  expect(cluster.workerPids()[1]).toBe(spare);
  await eventually('a request meets the new code', async () => (await result()) === 'second', 30_000);
  const next = (await cluster.logged(spareStarted, 2)).workerPid!;

  cluster.signal('SIGTERM');
  expect(await cluster.exited).toEqual({ code: 0, signal: null });
  await eventually('no process is left', () => ![spare, next].some(isAlive));
});

test('a reload does without a spare process that was killed', async () => {
  await using world = await openWorld();
  const { cluster, edit, spare, result } = await openSpared(world, 'killed');
  await using _ = cluster;
  process.kill(spare, 'SIGKILL');
  await eventually('it is gone', () => !isAlive(spare));

  edit('second');
  cluster.signal('SIGUSR2');
  await cluster.logged(done);
  expect(cluster.workerPids()).not.toContain(spare);
  await eventually('a request meets the new code', async () => (await result()) === 'second', 30_000);
});
