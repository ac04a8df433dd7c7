/** What one user's large requests cost the memory of a worker, and so all other users [H1]. On real processes and servers. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { consumerScript, startCluster } from '../consumer/support/cluster.ts';
import { uniqueName } from '../support/servers.ts';
import { openWorld, serversOf, type TestUser, type World } from '../support/world.ts';

jest.setTimeout(240_000);

/** More than twice as many as a worker without a budget could hold. */
const hogs = 40;
const requestsOfHog = 9;
/** Some of the hogs end, to see that what was not held is read again. */
const endingHogs = 3;
/** With the rest of the request, just below 256 KiB of JSON. */
const text = 'x'.repeat(256 * 1_024 - 200);

const startWorkers = (world: World) =>
  startCluster(
    {
      ...serversOf(world),
      PROCESSOR: fileURLToPath(new URL('./processors/hog.ts', import.meta.url)),
      NODE_OPTIONS: '--max-old-space-size=64',
      WORKERS: '2',
      // The runs that hang leave slots to others.
      CONCURRENCY: String(2 * hogs),
      STORE_TIMEOUT_MS: '30000',
      STUCK_AFTER_MS: '1000',
      SWEEP_MS: '500',
    },
    consumerScript,
  );

/** Hogs that send at a time. */
const sendersAtATime = 4;

/** Each hog's first request hangs: that of the first hogs until the file exists. */
const sendHogs = async (world: World, users: TestUser[], hangUntil: string): Promise<void> => {
  const waiting = users.map((user, index) => ({ user, hangUntil: index < endingHogs ? hangUntil : '/nowhere' }));
  const sender = async () => {
    for (let hog = waiting.pop(); hog; hog = waiting.pop()) {
      const { user } = hog;
      await world.enqueue(user, { hangUntil: hog.hangUntil, text });
      for (let sent = 1; sent < requestsOfHog; sent += 1) await world.enqueue(user, { text });
    }
  };
  await Promise.all(Array.from({ length: sendersAtATime }, sender));
};

test('a worker with a small heap survives many large requests, also after a failover; other users are served meanwhile', async () => {
  const hangUntil = join(tmpdir(), uniqueName('hogs-go-on'));
  await using world = await openWorld({ storeTimeoutMs: 30_000 });
  await using cluster = startWorkers(world);
  await cluster.logged((line) => line.msg === 'worker running', 2);
  const innocent = await world.user();
  const users = await Promise.all(Array.from({ length: hogs }, () => world.user()));
  const serve = async (seq: number) => {
    await world.enqueue(innocent, { text: 'small' });
    expect(await world.settled(innocent, seq, 60_000)).toMatchObject({ status: 'done', result: '5' });
  };
  const exits = () => cluster.lines.filter((line) => line.msg === 'worker exited');

  try {
    await serve(1);
    await sendHogs(world, users, hangUntil);
    await serve(2);
    expect(exits()).toEqual([]);

    const [killed] = cluster.workerPids();
    process.kill(killed!, 'SIGKILL');
    await cluster.logged((line) => line.msg === 'worker exited');
    await serve(3);
    // None of the hogs has ended: the others were not served after them.
    const firsts = await Promise.all(users.map((user) => world.entry(user, 1)));
    expect(firsts.map((entry) => entry?.status)).toEqual(users.map(() => 'processing'));

    writeFileSync(hangUntil, '');
    const ending = users.slice(0, endingHogs);
    const lasts = await Promise.all(ending.map((user) => world.settled(user, requestsOfHog, 90_000)));
    expect(lasts.map(({ result }) => result)).toEqual(ending.map(() => String(text.length)));
    expect(exits()).toHaveLength(1);
  } finally {
    rmSync(hangUntil, { force: true });
  }
});
