/** Runs that go on against their signal, on real servers: they keep their own user waiting, and nobody else. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createRunsOfFunction } from '../../lib/compose/in-process.ts';
import { createLogger } from '../../lib/log.ts';
import type { LaneObserver } from '../../lib/ports.ts';
import type { Processor } from '../../lib/processor.ts';
import { findStuck } from '../../lib/requests/stuck.ts';
import { CurrentRuns } from '../../lib/runs/current-runs.ts';
import { createPlanRun } from '../../lib/runs/plan.ts';
import { decidePolicy } from '../../lib/runs/policy.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import { eventually, openWorld, type World } from '../support/world.ts';

/** A worker with a processor that this process calls. */
const workWith = (world: World, processor: Processor, timeoutMs: number, observer: Partial<LaneObserver> = {}) => {
  const policy = decidePolicy({ timeoutMs }, world.config);
  const runRequest = createRunRequest({ processor, policy }, { clock: systemClock, log: createLogger('silent') });
  return world.work(runRequest, { planRun: createPlanRun(policy, world.config), observer });
};

const never = new Promise<never>(() => {});

test('any number of users whose runs hang leave both slots to the others, and are reported', async () => {
  await using world = await openWorld({ concurrency: 2, graceMs: 300, stuckAfterMs: 400, sweepMs: 100 });
  const users = await Promise.all(Array.from({ length: 7 }, () => world.user()));
  const reported: string[] = [];
  const hanging: Processor = (request) => (request === 'hang' ? never : 'done');
  const observer = { runUnresponsive: ({ userId }: { userId: string }) => reported.push(userId) };
  for (const user of users) for (const request of ['hang', 'next']) await world.enqueue(user, request);
  const worker = workWith(world, hanging, 100, observer);
  const late = await world.user();
  await world.enqueue(late, 'x');
  expect(await world.settled(late, 1)).toMatchObject({ status: 'done', attempts: 1 });

  const ids = users.map(({ userId }) => userId).toSorted();
  await eventually('all are reported, once each', () => reported.length === ids.length);
  expect(reported.toSorted()).toEqual(ids);
  const stuck = await eventually('all are stuck for this reason', async () => {
    const found = await findStuck(100, world.deps);
    return found.length === ids.length && found.every(({ reason }) => reason === 'unresponsive-run') && found;
  });
  expect(stuck.map(({ userId }) => userId).toSorted()).toEqual(ids);
  await eventually('the metric agrees', () => worker.snapshot().stuckUsers === ids.length);
  expect(worker.snapshot()).toMatchObject({ inFlight: ids.length, unresponsiveRuns: ids.length });
  expect(worker.snapshot().oldestRunMs).toBeGreaterThan(0);
  for (const user of users) expect(await world.entry(user, 2)).toMatchObject({ status: 'queued' });
});

test('a hanging run that may have ended its process before, and has no other to run in, is reported and lets the next one start', async () => {
  await using world = await openWorld({ graceMs: 100, isolatedProcesses: 2 });
  const started: unknown[] = [];
  const hanging: Processor = (request) => {
    started.push(request);
    return never;
  };
  const policy = decidePolicy({ timeoutMs: 50 }, world.config);
  const loaded = { processor: hanging, policy };
  const runs = createRunsOfFunction(loaded, {
    config: world.config,
    clock: systemClock,
    log: createLogger('silent'),
    runs: new CurrentRuns(),
  });
  const interruptions = 2;
  const worker = world.work((run) => runs.runRequest({ ...run, interruptions }), {
    planRun: (next) => runs.planRun({ ...next, interruptions }),
  });
  const [user, other] = [await world.user(), await world.user()];
  await world.enqueue(user, 'first');
  await eventually('it is unresponsive', () => worker.snapshot().unresponsiveRuns === 1);
  await world.enqueue(other, 'second');
  await eventually('the other one starts', () => started.includes('second'));
});

test('a user whose hanging run ends at last goes on in order, and is no longer reported', async () => {
  await using world = await openWorld({ concurrency: 1, graceMs: 100, maxAttempts: 1 });
  const ending = Promise.withResolvers<void>();
  const order: unknown[] = [];
  const worker = workWith(
    world,
    async (request) => {
      order.push(request);
      if (request === 'hang') await ending.promise;
    },
    50,
  );
  const [user, other] = [await world.user(), await world.user()];
  for (const request of ['hang', 'b', 'c']) await world.enqueue(user, request);
  await eventually('it is unresponsive', () => worker.snapshot().unresponsiveRuns === 1);
  await world.enqueue(other, 'other');
  await world.settled(other, 1);
  ending.resolve();
  expect(await world.settled(user, 3)).toMatchObject({ status: 'done' });
  expect(await world.entry(user, 1)).toMatchObject({ status: 'failed', error: { name: 'RunTimeoutError' } });
  expect(order).toEqual(['hang', 'other', 'b', 'c']);
  expect(worker.snapshot()).toMatchObject({ unresponsiveRuns: 0 });
});

test('users who time out again and again share half of the slots', async () => {
  await using world = await openWorld({
    concurrency: 2,
    graceMs: 60_000,
    maxAttempts: 1_000,
    retryBaseMs: 1,
    retryMaxMs: 2,
  });
  const timedOut = new Map<string, number>();
  const obedient: Processor = (request, { signal, userId }) =>
    request === 'quick'
      ? 'done'
      : new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            timedOut.set(userId, (timedOut.get(userId) ?? 0) + 1);
            reject(signal.reason);
          }),
        );
  workWith(world, obedient, 1_000);
  const hogs = await Promise.all(Array.from({ length: 3 }, () => world.user()));
  for (const hog of hogs) await world.enqueue(hog, 'hang');
  await eventually('each has timed out', () => timedOut.size === hogs.length);
  const before = [...timedOut.values()].reduce((sum, count) => sum + count, 0);
  const late = await world.user();
  for (let n = 1; n <= 20; n += 1) await world.enqueue(late, 'quick');
  await world.settled(late, 20);
  const after = [...timedOut.values()].reduce((sum, count) => sum + count, 0);
  // Without a slot of its own, each of its requests could wait for a time-out.
  expect(after - before).toBeLessThan(10);
});

test('a processor that waits for a later request of its own user times out with an error that says so', async () => {
  await using world = await openWorld({ maxAttempts: 1 });
  const user = await world.user();
  workWith(
    world,
    async (request, { signal }) => {
      if (request !== 'outer') return 'inner is done';
      const { seq } = await world.enqueue(user, 'inner');
      for (;;) {
        signal.throwIfAborted();
        if ((await world.entry(user, seq))?.status === 'done') return 'never';
        await new Promise((resolve) => systemClock.after(20, () => resolve(undefined)));
      }
    },
    500,
  );
  await world.enqueue(user, 'outer');
  expect(await world.settled(user, 1)).toMatchObject({
    status: 'failed',
    error: {
      name: 'RunTimeoutError',
      message:
        'The run took longer than 500 ms. 1 later request of this user waits behind it; a run must not wait for the result of any of them',
    },
  });
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done' });
});

test('users whose last attempts time out one after the other leave half of the slots', async () => {
  await using world = await openWorld({ concurrency: 2, graceMs: 60_000, maxAttempts: 1 });
  const timeoutMs = 3_000;
  let ended = 0;
  const obeying: Processor = (request, { signal }) =>
    request === 'quick'
      ? 'done'
      : new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            ended += 1;
            reject(signal.reason);
          });
        });
  const hogs = [await world.user(), await world.user()];
  for (const hog of hogs) for (const request of ['quick', 'hang', 'hang', 'hang']) await world.enqueue(hog, request);
  workWith(world, obeying, timeoutMs);
  await eventually('both have timed out', () => ended === 2, 20_000);
  for (const hog of hogs) await world.settled(hog, 2);
  const late = await world.user();
  await world.enqueue(late, 'quick');
  const entry = await world.settled(late, 1);
  // Before the next timeout: the slot was free.
  expect(ended).toBe(2);
  expect(entry).toMatchObject({ status: 'done' });
});
