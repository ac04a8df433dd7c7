/** A real consumer that stands still: as a frozen container does, or only while its event loop is blocked for a moment. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, jest, test } from '@jest/globals';
import { consumerScript, type LogLine, startCluster } from '../consumer/support/cluster.ts';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';
import { monotonicMs } from './monotonic.ts';
import { readHistory } from './recorder.ts';

jest.setTimeout(120_000);

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-frozen-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isRunning = ({ msg }: LogLine) => msg === 'worker running';
const isLoss = ({ msg }: LogLine) => msg?.startsWith('lane lost') === true;

const startConsumer = (world: World, environment: Record<string, string> = {}) => {
  const historyFile = join(folder, world.config.queuePrefix);
  writeFileSync(historyFile, '');
  const cluster = startCluster(
    {
      ...serversOf(world),
      AUTO_MIGRATE: '1',
      WORKERS: '1',
      CONSUMER_NAME: 'consumer',
      HISTORY_FILE: historyFile,
      PROCESSOR: file('./recording-processor.ts'),
      ...environment,
    },
    consumerScript,
  );
  const count = (kind: 'started' | 'ended') => readHistory(historyFile).filter((event) => event.kind === kind).length;
  return { cluster, count };
};

const users = 8;

test('another worker serves the users of a frozen container within FROZEN_AFTER_MS, and the container records nothing more', async () => {
  await using world = await openWorld();
  // The runs go on for longer than the test.
  const { cluster, count } = startConsumer(world, { LONGEST_RUN_MS: '100000000' });
  await using _ends = cluster;
  await cluster.logged(isRunning);
  const crowd = await Promise.all(Array.from({ length: users }, () => world.user()));
  for (const request of [1, 2]) await Promise.all(crowd.map((user) => world.enqueue(user, request)));
  await eventually('every user has a run in the container', () => count('started') === users, 30_000);

  const pids = [cluster.pid, ...cluster.workerPids()];
  const frozenAt = monotonicMs();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const starts: number[] = [];
  world.work(async () => {
    starts.push(monotonicMs());
    return { kind: 'done', result: '"elsewhere"' };
  });
  const settled = await Promise.all(crowd.map((user) => world.settled(user, 2, 60_000)));
  expect(settled.every(({ status }) => status === 'done')).toBe(true);
  // Three seconds and the acquisition, on a machine that is not busy. With a heartbeat of 5 s it takes 10 to 15 s.
  expect(Math.max(...starts) - frozenAt).toBeLessThan(8_000);

  for (const pid of pids) process.kill(pid, 'SIGCONT');
  await eventually('the container has ended its runs', () => count('ended') === users, 30_000);
  await cluster.logged(isLoss);
  const firsts = await Promise.all(crowd.map((user) => world.entry(user, 1)));
  expect(new Set(firsts.map((entry) => entry?.result))).toEqual(new Set(['"elsewhere"']));
});

test('a worker whose event loop is blocked for a second, again and again, keeps its lanes', async () => {
  await using world = await openWorld();
  const { cluster } = startConsumer(world);
  await using _ends = cluster;
  await cluster.logged(isRunning);
  const user = await world.user();
  for (let n = 0; n < 4; n += 1) await world.enqueue(user, { blockMs: 1_000 });
  await world.settled(user, 4, 60_000);
  expect(cluster.lines.filter(isLoss)).toEqual([]);
});
