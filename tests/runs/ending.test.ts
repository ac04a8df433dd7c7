/** An operator ends runs, on real processes: nobody else is interrupted, and nothing is restarted by hand. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { pollUntil } from '../../lib/poll.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { endRequest } from '../../lib/requests/end.ts';
import { consumerScript, startCluster, type TestCluster } from '../consumer/support/cluster.ts';
import { eventually, openWorld, serversOf, type TestUser, type World } from '../support/world.ts';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(120_000);
const boundMs = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-ending-'));
/** A file that holds runs until it is removed. */
const hold = (name: string): string => {
  const file = join(folder, name);
  writeFileSync(file, '');
  return file;
};

let world: World;
let cluster: TestCluster;

beforeAll(async () => {
  world = await openWorld({ lanes: 2 });
  cluster = startCluster(
    {
      ...serversOf(world),
      PROCESSOR: runsSupportFile('processors/deaf.ts'),
      WORKERS: '1',
      GRACE_MS: '1000',
      STUCK_AFTER_MS: '5000',
    },
    consumerScript,
  );
  await cluster.logged((line) => line.msg === 'worker running');
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cluster?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const end = ({ userId }: TestUser, waitMs = 0) =>
  endRequest({ userId, seq: 1 }, (_what, check) => pollUntil(systemClock, waitMs, check), world.deps);
/** Resolves when the processor is inside the run that this file holds. */
const runs = ({ userId }: TestUser, name: string) =>
  eventually('request 1 runs', () => existsSync(join(folder, `${name}.${userId}`)), boundMs);
const ended = { status: 'failed', attempts: 1, deadLetter: { reason: 'ended' } };
const loggedOf = ({ userId }: TestUser, msg: string) =>
  cluster.logged((line) => line.userId === userId && String(line.msg).startsWith(msg));

test('a run that heeds its signal ends at once', async () => {
  const user = await world.user();
  await world.enqueue(user, { file: hold('heeding'), heeds: true });
  await world.enqueue(user, {});
  await runs(user, 'heeding');
  expect((await end(user, boundMs)).entry).toMatchObject(ended);
  expect(await world.settled(user, 2, boundMs)).toMatchObject({ status: 'done' });
  await loggedOf(user, 'run asked to end');
  await loggedOf(user, 'run ended by an operator');
});

test('an isolated run that ignores its signal ends with its own process, and its worker stays', async () => {
  const user = await world.user();
  const body = JSON.stringify({ file: hold('isolated') });
  await acceptRequest({ ...user, body, interruptions: 2 }, world.deps);
  await world.enqueue(user, {});
  await runs(user, 'isolated');
  expect((await end(user, boundMs)).entry).toMatchObject(ended);
  expect(await world.settled(user, 2, boundMs)).toMatchObject({ status: 'done' });
  expect(cluster.workerPids()).toHaveLength(1);
});

test('a run that ignores its signal ends with its worker, which moves all others first', async () => {
  const [deaf, ...beside] = await Promise.all(Array.from({ length: 5 }, () => world.user()));
  if (!deaf) throw new Error('there is no user');
  await world.enqueue(deaf, { file: hold('deaf') });
  await world.enqueue(deaf, {});
  const file = hold('beside');
  for (const user of beside) await world.enqueue(user, { file });
  await runs(deaf, 'deaf');
  for (const user of beside) await runs(user, 'beside');

  expect((await end(deaf)).entry).toMatchObject({ status: 'processing', endRequestedAt: expect.any(Date) });
  await cluster.logged((line) => String(line.msg).startsWith('worker retires'));
  const late = await world.user();
  await world.enqueue(late, {});
  expect(await world.settled(late, 1, boundMs)).toMatchObject({ status: 'done', attempts: 1 });
  expect(await world.entry(deaf, 1)).toMatchObject({ status: 'processing' });

  rmSync(file);
  expect(await world.settled(deaf, 2, boundMs)).toMatchObject({ status: 'done', attempts: 1 });
  expect((await end(deaf)).entry).toMatchObject(ended);
  for (const user of beside) {
    const { interruptions = 0, forgiven = 0, ...entry } = await world.settled(user, 1, boundMs);
    expect(entry).toMatchObject({ status: 'done', attempts: 1 });
    expect([interruptions, forgiven]).toEqual([0, 0]);
  }
  const [first] = cluster.workerPids();
  expect(cluster.workerPids()).toHaveLength(2);
  await cluster.logged((line) => line.msg === 'worker exited' && line.workerPid === first);
});
