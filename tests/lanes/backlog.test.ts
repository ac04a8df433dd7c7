/** How many workers the pending requests want, and how long the oldest of them waits: the same for every consumer. */
import { expect, test } from '@jest/globals';
import { oldestWaitMs, workersWanted } from '../../lib/lanes/backlog.ts';
import type { Demand, RunRequest } from '../../lib/ports.ts';
import { eventually, openWorld } from '../support/world.ts';

const nobody: Demand = { waitingSince: null, blockedUsers: 0, blockedRequests: 0 };
const rule = { lanes: 64, pendingPerWorker: 100, countedEveryMs: 9_000 };
const wanted = (
  pendingRequests: number,
  pendingUsers: number | undefined,
  { demand = nobody, ageMs = 0, ...changed }: { demand?: Demand; ageMs?: number } & Partial<typeof rule> = {},
) =>
  workersWanted({ pendingRequests, pendingUsers, statisticsAgeMs: ageMs }, [nobody, demand], { ...rule, ...changed });

test.each([
  ['nothing is pending', wanted(0, 0), 1],
  ['one worker is enough', wanted(100, 80), 1],
  ['one request is too many for it', wanted(101, 80), 2],
  ['a worker is wanted for so many', wanted(1_000, 500, { pendingPerWorker: 50 }), 20],
  ['few users have all requests, who run one at a time', wanted(10_000, 3), 3],
  ['there are only so many lanes', wanted(1_000_000, 50_000), 64],
  [
    'most requests wait for a person',
    wanted(3_000, 23, { demand: { ...nobody, blockedUsers: 3, blockedRequests: 2_900 } }),
    1,
  ],
  [
    'the blocked were settled since the count',
    wanted(5, 1, { demand: { ...nobody, blockedUsers: 3, blockedRequests: 9 } }),
    1,
  ],
  ['nobody has counted yet, or only an older version', wanted(1_000, undefined), undefined],
  ['the count is too old', wanted(1_000, 500, { ageMs: 60_001 }), undefined],
  ['it is counted seldom', wanted(1_000, 500, { ageMs: 60_001, countedEveryMs: 180_000 }), 10],
])('the workers that are wanted when %s', (_when, actual, expected) => {
  expect(actual).toBe(expected);
});

test('the oldest wait is that of all workers, and of users for whom no owner vouches', () => {
  const now = new Date(100_000);
  const since = (ms: number): Demand => ({ ...nobody, waitingSince: new Date(ms) });
  expect(oldestWaitMs([nobody, nobody], undefined, now)).toBe(0);
  expect(oldestWaitMs([since(99_000), since(95_000), nobody], undefined, now)).toBe(5_000);
  expect(oldestWaitMs([since(99_000)], new Date(90_000), now)).toBe(10_000);
  // Stored before MongoDB's clock was set back.
  expect(oldestWaitMs([since(200_000)], undefined, now)).toBe(0);
});

test('requests that wait for a slot of any worker wait for all to see; those behind a run or a person do not', async () => {
  await using world = await openWorld({ stuckAfterMs: 200, sweepMs: 100, concurrency: 1, pendingPerWorker: 2 });
  const ending = Promise.withResolvers<void>();
  const runRequest: RunRequest = async ({ body }) => {
    if (body === '"block"') return { kind: 'blocked', error: { name: 'Error', message: 'no' }, reason: 'failed' };
    if (body === '"hang"') await ending.promise;
    return { kind: 'done', result: 'null' };
  };
  const workers = [world.work(runRequest), world.work(runRequest)];
  const shown = () => workers.map((worker) => worker.snapshot());
  await eventually('the lanes are shared', () =>
    shown().every(({ lanesOwned }) => lanesOwned === world.config.lanes / 2),
  );

  const blocked = await world.user();
  for (const request of ['block', 1, 2, 3, 4]) await world.enqueue(blocked, request);
  await eventually('one worker is wanted for nobody', () =>
    shown().every(({ workersWanted, pendingRequests }) => workersWanted === 1 && pendingRequests === 5),
  );
  expect(shown().map((one) => one.oldestWaitMs)).toEqual([0, 0]);

  // More than both workers have slots, whatever lanes the users are in.
  for (let n = 0; n < 6; n += 1) await world.enqueue(await world.user(), 'hang');
  await eventually('three workers are wanted for six users', () =>
    shown().every(({ workersWanted, pendingRequests }) => workersWanted === 3 && pendingRequests === 11),
  );
  await eventually('both see the wait grow', () => shown().every((one) => one.oldestWaitMs > 1_000));
  ending.resolve();
  await eventually('nobody waits', () =>
    shown().every(({ oldestWaitMs, workersWanted }) => oldestWaitMs === 0 && workersWanted === 1),
  );
}, 90_000);
