/** Requests that end their worker, beside innocent users, on real processes and servers. */
import { expect, jest, test } from '@jest/globals';
import { consumerScript, startCluster } from '../consumer/support/cluster.ts';
import { openWorld, serversOf, type TestUser } from '../support/world.ts';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(90_000);

/** Until everything is settled, on two busy cores. */
const boundMs = 90_000;
const killers = ['exit', 'memory', 'loop'];

test('requests that end their workers become dead letters; their users go on, and no other request is affected', async () => {
  await using world = await openWorld();
  await using cluster = startCluster(
    {
      ...serversOf(world),
      PROCESSOR: runsSupportFile('processors/fatal.ts'),
      NODE_OPTIONS: '--max-old-space-size=128',
      WORKERS: '2',
      WORKER_HANG_MS: '1200',
      RETRY_BASE_MS: '5',
      RETRY_MAX_MS: '20',
      SWEEP_MS: '300',
      STUCK_AFTER_MS: '1000',
      GRACE_MS: '5000',
    },
    consumerScript,
  );
  await cluster.logged((line) => line.msg === 'worker running', 2);

  const begin = Date.now();
  const users = await Promise.all(Array.from({ length: 16 }, () => world.user()));
  const enqueueAll = async (user: TestUser, requests: unknown[]) => {
    for (const request of requests) await world.enqueue(user, request);
  };
  const guilty = users.slice(0, killers.length);
  // Long enough to be in progress, again and again, when a worker ends.
  const slow = users.slice(killers.length, 6);
  const others = users.slice(6);
  await Promise.all([
    ...guilty.map((user, index) => enqueueAll(user, [{}, { end: killers[index] }, {}, {}])),
    ...slow.map((user) => enqueueAll(user, [{ ms: 800 }, { ms: 800 }])),
    ...others.map((user) => enqueueAll(user, [{ ms: 20 }, { ms: 20 }, { ms: 20 }, { ms: 20 }])),
  ]);
  await Promise.all([
    ...[...guilty, ...others].map((user) => world.settled(user, 4, boundMs)),
    ...slow.map((user) => world.settled(user, 2, boundMs)),
  ]);
  const tookMs = Date.now() - begin;

  const entriesOf = (user: TestUser) => world.deps.ledger.page(user.userId, { after: 0, limit: 10 });
  for (const user of guilty) {
    const [before, killer, ...after] = await entriesOf(user);
    expect(killer).toMatchObject({
      status: 'failed',
      error: { name: 'ProcessorCrashedError' },
      deadLetter: { reason: 'crashed' },
    });
    expect([before, ...after].map((entry) => entry?.status)).toEqual(['done', 'done', 'done']);
  }
  const innocent = (await Promise.all([...slow, ...others].map(entriesOf))).flat();
  expect(innocent).toHaveLength(46);
  expect(innocent.filter(({ status, error, deadLetter }) => status !== 'done' || error || deadLetter)).toEqual([]);
  const crashes = cluster.lines.filter((line) => line.msg === 'a run ended its process');
  expect(crashes.map(({ userId }) => userId).toSorted()).toEqual(guilty.map(({ userId }) => userId).toSorted());
  expect(tookMs).toBeLessThan(boundMs);
}, 180_000);
