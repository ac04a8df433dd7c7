/** What is left of users that went idle: nothing in RabbitMQ, and nothing in a worker. On real processes and servers. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import type { UserQueue } from '../../lib/types.ts';
import { eventually, openWorld, serversOf } from '../support/world.ts';
import { consumerScript, startCluster } from './support/cluster.ts';

jest.setTimeout(120_000);

const userCount = 40;

/** Everything that is reachable in the heap of the process, its texts included. */
const heapOf = async (pid: number, folder: string): Promise<Buffer> => {
  process.kill(pid, 'SIGUSR2');
  const file = await eventually(
    'the heap is written',
    () => readdirSync(folder).find((name) => name.endsWith('.heapsnapshot') && isWhole(join(folder, name))),
    60_000,
  );
  return readFileSync(join(folder, file));
};

const isWhole = (file: string): boolean => readFileSync(file).subarray(-2).toString() === ']}';

const gauge = (metrics: string, name: string): number =>
  Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(metrics)?.[1]);

test('connected users that are idle leave no queue, and nothing in the heap of their worker', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idle-users-'));
  await using world = await openWorld({ lanes: 4 });
  await using cluster = startCluster(
    {
      ...serversOf(world),
      WORKERS: '1',
      IDLE_TIMEOUT_MS: '500',
      // It writes its heap all at once.
      WORKER_HANG_MS: '120000',
      NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`,
    },
    consumerScript,
  );
  await cluster.logged((line) => line.msg === 'worker running');
  const users = await Promise.all(Array.from({ length: userCount }, () => world.user()));
  try {
    for (const seq of [1, 2]) {
      await Promise.all(users.map((user) => world.enqueue(user, seq)));
      for (const user of users) await world.settled(user, seq);
      const areClosed = (found: UserQueue[]) => found.every(({ state }) => state === 'closed');
      const userIds = users.map(({ userId }) => userId);
      await eventually('closed', async () => areClosed(await world.stores.userQueues.get(userIds)), 60_000);
    }
    expect((await Promise.all(users.map((user) => world.userQueueExists(user)))).filter(Boolean)).toEqual([]);
    const sessions = await Promise.all(users.map(async (user) => (await world.queue(user))?.sessions.length));
    expect(new Set(sessions)).toEqual(new Set([1]));
    expect(gauge((await cluster.get('/metrics')).text, 'lanekeeper_users_loaded')).toBe(0);
    const heap = await heapOf(cluster.workerPids()[0]!, folder);
    const left = users.filter(({ userId }) => heap.includes(userId));
    // A driver may keep the last statement or frame that it has sent.
    expect(left.length).toBeLessThan(5);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
