/** Users whose workers were killed in the middle of their runs, on real processes and servers. Nobody knows whose run is to blame. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { consumerScript, isAlive, startCluster } from '../consumer/support/cluster.ts';
import { eventually, openWorld, serversOf, type TestUser } from '../support/world.ts';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(120_000);

const longMs = 60_000;

test('after two kills of their worker all users run again at once, isolated, also beside users whose runs hang', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lanekeeper-'));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  await using world = await openWorld();
  await using cluster = startCluster(
    {
      ...serversOf(world),
      PROCESSOR: runsSupportFile('processors/fatal.ts'),
      WORKERS: '1',
      SWEEP_MS: '300',
      STUCK_AFTER_MS: '1000',
      GRACE_MS: '1000',
    },
    consumerScript,
  );
  const mark = ({ userId }: TestUser) => join(folder, userId);
  const end = join(folder, 'end');
  const hung = await Promise.all(Array.from({ length: 8 }, () => world.user()));
  const innocent = await Promise.all(Array.from({ length: 30 }, () => world.user()));
  const users = [...hung, ...innocent];
  const pids = () => Promise.all(users.map(async (user) => Number(await readFile(mark(user), 'utf8').catch(() => 0))));
  const runIn = (what: string, isWanted: (pid: number) => boolean) =>
    eventually(what, async () => (await pids()).every(isWanted), longMs);

  await Promise.all(hung.map((user) => world.enqueue(user, { mark: mark(user), end: 'ignore-the-signal' })));
  await Promise.all(innocent.map((user) => world.enqueue(user, { mark: mark(user), until: end })));
  for (const kill of [1, 2]) {
    await eventually(`worker ${kill} has started`, () => cluster.workerPids().length === kill, longMs);
    const worker = cluster.workerPids().at(-1)!;
    await runIn(`all run in worker ${kill}`, (pid) => pid === worker);
    process.kill(worker, 'SIGKILL');
  }
  const killed = [...cluster.workerPids()];
  await runIn('all run isolated', (pid) => pid > 0 && !killed.includes(pid) && isAlive(pid));
  const isolated = new Set(await pids());
  expect([isolated.size, cluster.workerPids().some((pid) => isolated.has(pid))]).toEqual([2, false]);

  await writeFile(end, '');
  for (const user of innocent)
    expect(await world.settled(user, 1, longMs)).toMatchObject({ status: 'done', attempts: 3 });
  // The next requests of those users are not suspects.
  await Promise.all(innocent.map((user) => world.enqueue(user, { mark: mark(user) })));
  const worker = cluster.workerPids().at(-1);
  for (const user of innocent) {
    expect(await world.settled(user, 2, longMs)).toMatchObject({ status: 'done', attempts: 1 });
    expect(Number(await readFile(mark(user), 'utf8'))).toBe(worker);
  }
});
