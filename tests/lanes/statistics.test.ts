/** The numbers about all users: one worker of all counts them, and every worker shows the same. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { StatisticsCount } from '../../lib/lanes/statistics.ts';
import type { Heartbeat } from '../../lib/ports.ts';
import { findStuck } from '../../lib/requests/stuck.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { eventually, openWorld } from '../support/world.ts';

const times = { stuckAfterMs: 200, sweepMs: 100 };

test('every worker shows how many users GET /stuck lists, the pending requests and the dead letters; only one counts them', async () => {
  await using world = await openWorld();
  const asked = new Set<number>();
  const ending = Promise.withResolvers<void>();
  const startWorker = (n: number) =>
    world.work(
      async ({ body }) => {
        if (body === '"hang"') await ending.promise;
        if (body === '"fail"') return { kind: 'failed', error: { name: 'Error', message: 'no' }, reason: 'failed' };
        if (body === '"block"') return { kind: 'blocked', error: { name: 'Error', message: 'no' }, reason: 'failed' };
        return { kind: 'done', result: body };
      },
      {
        config: times,
        stores: {
          userQueues: {
            ...world.stores.userQueues,
            countPending: () => {
              asked.add(n);
              return world.stores.userQueues.countPending();
            },
          },
        },
      },
    );
  const workers = [startWorker(0), startWorker(1)];
  const [failed, blocked, hanging] = [await world.user(), await world.user(), await world.user()];
  for (const request of ['fail', 'done']) await world.enqueue(failed, request);
  for (const request of ['block', 'done']) await world.enqueue(blocked, request);
  for (const request of ['hang', 'done', 'done']) await world.enqueue(hanging, request);

  const shown = () => workers.map((worker) => worker.snapshot());
  await eventually('both show the same numbers', () =>
    shown().every((one) => one.stuckUsers === 2 && one.pendingRequests === 5 && one.deadLetters === 2),
  );
  const listed = await findStuck(10, { ...world.deps, config: times });
  expect(listed.map(({ reason }) => reason).sort()).toEqual(['blocked', 'long-run']);
  for (const { statisticsAgeMs, mongodbUp, rabbitmqUp } of shown()) {
    expect({ mongodbUp, rabbitmqUp }).toEqual({ mongodbUp: true, rabbitmqUp: true });
    expect(statisticsAgeMs).toBeLessThan(60_000);
  }
  asked.clear();
  await eventually('somebody counts again', () => asked.size > 0);
  expect(asked.size).toBe(1);
  ending.resolve();
  await eventually('the hanging user is done', () => shown().every(({ pendingRequests }) => pendingRequests === 2));
});

const createCount = (workerId: string, alive: Partial<Heartbeat>[]) => {
  const { userQueues, ledger } = createMemoryStores();
  const heartbeats = alive.map((one) => ({ lanes: [], unresponsive: [], at: new Date(0), ...one })) as Heartbeat[];
  const config = { ...times, lanes: 64, pendingPerWorker: 100 };
  const deps = { userQueues, ledger, clock: systemClock, config };
  return new StatisticsCount(deps, workerId, { newest: heartbeats, alive: () => heartbeats });
};

test.each<[string, Partial<Heartbeat>[], boolean]>([
  ['it has the lowest id', [{ workerId: 'b' }, { workerId: 'c' }], true],
  ['another one has a lower id', [{ workerId: 'a' }, { workerId: 'b' }], false],
  ['those with a lower id serve nobody', [{ workerId: 'a', away: true }, { workerId: 'b' }], true],
  [
    'one with a lower id is gone',
    [
      { workerId: 'a', away: true, gone: true },
      { workerId: 'b', away: true },
    ],
    true,
  ],
  [
    'RabbitMQ is away for all',
    [
      { workerId: 'b', away: true },
      { workerId: 'c', away: true },
    ],
    true,
  ],
  ['it has heard of nobody yet', [], false],
])('whether a worker counts when %s', async (_when, alive, counts) => {
  const count = createCount('b', alive);
  await count.noteSweep([]);
  expect(count.toTell([], []).statistics !== undefined).toBe(counts);
});

test('the newest numbers count, whoever told them; without any the age is that of the worker', async () => {
  const numbers = { stuckUsers: 1, pendingRequests: 2, deadLetters: 3 };
  const ago = (ms: number) => new Date(Date.now() - ms);
  const count = createCount('b', [
    { workerId: 'a', statistics: { ...numbers, stuckUsers: 9, at: ago(60_000) } },
    { workerId: 'c', statistics: { ...numbers, at: ago(5_000) } },
    { workerId: 'd', statistics: { ...numbers, stuckUsers: 8, at: ago(-600_000) } },
  ]);
  expect(count.newest([])).toMatchObject(numbers);
  expect(count.newest([]).statisticsAgeMs).toBeGreaterThanOrEqual(5_000);
  expect(createCount('b', []).newest([])).toMatchObject({ stuckUsers: 0, statisticsAgeMs: expect.any(Number) });
});
