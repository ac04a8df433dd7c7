/** Handovers while runs go on, on real servers: nobody else waits for them [R11, R12]. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/ports.ts';
import { eventually, openWorld, type TestUser } from '../support/world.ts';
import { done, error, heldRuns, quickRuns } from './runs.ts';

/** Far longer than a test may take: nothing here waits for a sweep or a timer. */
const never = { sweepMs: 600_000, stuckAfterMs: 600_000 };

/** The time for which a handover waits for runs never ends. */
const neverLends: Clock = {
  ...systemClock,
  after: (ms, callback) => (ms === 500 ? () => undefined : systemClock.after(ms, callback)),
};

/** Two users of one lane: one in a run that the test ends, and one without requests. */
const openLongRun = async (overrides: Parameters<typeof openWorld>[0] = {}) => {
  const world = await openWorld({ lanes: 1, ...never, ...overrides });
  const [old, fresh] = [heldRuns(), heldRuns()];
  const first = world.work(old.runRequest);
  const [busy, other] = [await world.user(), await world.user()];
  await world.enqueue(busy, 1);
  await world.enqueue(busy, 2);
  const run = await old.running(busy, 1);
  const second = world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  return { world, old, fresh, first, second, busy, other, run };
};

test('while a stopping worker ends a long run, the next owner serves the other users of the lane', async () => {
  const { world, fresh, first, busy, other, run } = await openLongRun();
  await using _world = world;
  const stopped = first.stop();
  await world.enqueue(other, 1);
  (await fresh.running(other, 1)).end();
  expect(await world.settled(other, 1)).toMatchObject({ status: 'done' });
  expect(run.signal.aborted).toBe(false);
  expect(fresh.of(busy)).toEqual([]);

  run.end({ kind: 'done', result: '"kept"' });
  (await fresh.running(busy, 2)).end();
  await stopped;
  expect(await world.settled(busy, 1)).toMatchObject({ status: 'done', result: '"kept"', attempts: 1 });
  expect(await world.settled(busy, 2)).toMatchObject({ status: 'done', attempts: 1 });
});

test('a run that has gone on for a while is lent out at once', async () => {
  const world = await openWorld({ lanes: 1, ...never });
  await using _world = world;
  const [old, fresh] = [heldRuns(), heldRuns()];
  const first = world.work(old.runRequest, { hostClock: neverLends });
  const [busy, other] = [await world.user(), await world.user()];
  await world.enqueue(busy, 1);
  const run = await old.running(busy, 1);
  const startedAt = performance.now();
  world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  await eventually('the run has gone on for a while', () => performance.now() - startedAt > 500);
  const stopped = first.stop();
  await world.enqueue(other, 1);
  (await fresh.running(other, 1)).end();
  run.end();
  await stopped;
  expect(await world.settled(busy, 1)).toMatchObject({ status: 'done', attempts: 1 });
});

/** Eight lanes of a worker whose handovers wait for new runs for ever, each with a user in such a run and another user. */
const openEightLanes = async (overrides: Parameters<typeof openWorld>[0] = {}) => {
  const world = await openWorld({ lanes: 8, ...never, ...overrides });
  const { runs, runRequest, running } = heldRuns();
  const worker = world.work(runRequest, { hostClock: neverLends });
  const oneInEachLane = async (): Promise<TestUser[]> => {
    const users = new Map<number, TestUser>();
    while (users.size < 8) {
      const user = await world.user();
      users.set(user.lane, user);
    }
    return [...users.values()];
  };
  const [busy, others] = [await oneInEachLane(), await oneInEachLane()];
  await eventually('all lanes are owned', () => worker.snapshot().lanesOwned === 8);
  const startRuns = async () => {
    for (const user of busy) await world.enqueue(user, 1);
    for (const user of busy) await running(user, 1);
  };
  return { world, worker, runs, others, startRuns };
};

test('a worker that stops hands its lanes over a few at a time, and serves the others meanwhile', async () => {
  const { world, worker, runs, others, startRuns } = await openEightLanes({ graceMs: 20_000, balanceMs: 600_000 });
  await using _world = world;
  const fresh = quickRuns();
  world.work(fresh.runRequest);
  await startRuns();
  const stopped = worker.stop();
  await eventually('two are being handed over', () => worker.snapshot().lanesOwned === 6);
  for (const user of others) await world.enqueue(user, 1);
  await eventually('the users of the six are served', () => runs.length === 8 + 6);
  for (const run of runs) run.end();
  await stopped;
  for (const user of others) expect(await world.settled(user, 1)).toMatchObject({ status: 'done', attempts: 1 });
  expect(fresh.runs).toHaveLength(2);
});

test('a worker hands its surplus over a few lanes at a time', async () => {
  const { world, worker, runs, startRuns } = await openEightLanes({ balanceMs: 100 });
  await using _world = world;
  await startRuns();
  world.work(quickRuns().runRequest);
  await eventually('one is being handed over', () => worker.snapshot().lanesOwned === 7);
  for (const run of runs) run.end();
  await eventually('four are handed over', () => worker.snapshot().lanesOwned === 4);
});

test('a lane moves to a worker that joins although a run in it goes on', async () => {
  const world = await openWorld({ lanes: 2, balanceMs: 100, ...never });
  await using _world = world;
  const [old, fresh] = [heldRuns(), heldRuns()];
  const first = world.work(old.runRequest);
  const users = await Promise.all(Array.from({ length: 8 }, () => world.user()));
  for (const user of users) await world.enqueue(user, 1);
  const runs = await Promise.all(users.map((user) => old.running(user, 1)));
  const second = world.work(fresh.runRequest);
  await eventually('each owns a lane', () => [first, second].every((worker) => worker.snapshot().lanesOwned === 1));
  for (const run of runs) run.end();
  for (const user of users) expect(await world.settled(user, 1)).toMatchObject({ status: 'done', attempts: 1 });
  expect(fresh.runs).toEqual([]);
});

test('a lent run that fails is retried by the next owner', async () => {
  const { world, fresh, first, busy, run } = await openLongRun();
  await using _world = world;
  const stopped = first.stop();
  await eventually('the lane is lent', async () => (await world.queue(busy))?.lent?.seq === 1);
  run.end({ kind: 'retry', error, delayMs: 1 });
  const again = await fresh.running(busy, 1);
  expect(again).toMatchObject({ attempt: 2, forgiven: 0, interruptions: 0 });
  again.end();
  await stopped;
});

test('a lent run that is aborted at the end of the grace period is given back, and runs again', async () => {
  const { world, fresh, first, busy, run } = await openLongRun({ graceMs: 1_000 });
  await using _world = world;
  run.signal.addEventListener('abort', () => run.end({ kind: 'retry', error, delayMs: 0 }));
  const stopped = first.stop();
  const again = await fresh.running(busy, 1);
  expect(run.signal.aborted).toBe(true);
  expect(again).toMatchObject({ attempt: 2, forgiven: 1, interruptions: 0 });
  again.end();
  await stopped;
});

test('a lent request runs again, as interrupted, when the heartbeat of its lender has stopped', async () => {
  const world = await openWorld({ lanes: 1, balanceMs: 100, storeTimeoutMs: 1_000, ...never });
  await using _world = world;
  const [old, fresh] = [heldRuns(), heldRuns()];
  let isDead = false;
  const { workers } = world.stores;
  const report: typeof workers.report = async (heartbeat) => {
    if (!isDead) await workers.report(heartbeat);
  };
  const first = world.work(old.runRequest, { stores: { workers: { ...workers, report } } });
  const busy = await world.user();
  await world.enqueue(busy, 1);
  const run = await old.running(busy, 1);
  world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  const stopped = first.stop();
  await eventually('the lane is lent', async () => (await world.queue(busy))?.lent?.seq === 1);
  isDead = true;
  const again = await fresh.running(busy, 1);
  expect(again).toMatchObject({ attempt: 2, interruptions: 1 });
  expect(again.fencingToken).toBeGreaterThan(run.fencingToken);
  again.end({ kind: 'done', result: '"second"' });
  await world.settled(busy, 1);
  run.end(done);
  await stopped;
  expect(await world.entry(busy, 1)).toMatchObject({ result: '"second"', attempts: 2 });
});

test('a lent request runs again when the time of its lender is over', async () => {
  const world = await openWorld({ lanes: 1, ...never });
  await using _world = world;
  const user = await world.user();
  const { userId } = user;
  await world.enqueue(user, 1);
  const { ledger, lanes, userQueues } = world.stores;
  const token = await lanes.takeLease(0, 'other', new Date());
  const claim = { kind: 'claim', interruptions: 0, forgiven: 0, token, attempt: 1, at: new Date() } as const;
  await ledger.commit([{ userId, seq: 1, ...claim }]);
  await userQueues.noteLent([{ userId, seq: 1, token, workerId: 'gone', forMs: 300 }]);
  const { runs, runRequest } = quickRuns();
  world.work(runRequest, { config: { balanceMs: 600_000 } });
  expect(await world.settled(user, 1)).toMatchObject({ status: 'done', attempts: 2 });
  expect(runs).toHaveLength(1);
});

test('a lane whose loan MongoDB refuses is given up when its run has ended, and its next owner serves everybody', async () => {
  await using world = await openWorld({ lanes: 1, ...never });
  const [old, fresh] = [heldRuns(), heldRuns()];
  const { userQueues } = world.stores;
  const noteLent = () => Promise.reject(new Error('you are over your space quota'));
  const first = world.work(old.runRequest, { stores: { userQueues: { ...userQueues, noteLent } } });
  const [busy, other] = [await world.user(), await world.user()];
  await world.enqueue(busy, 1);
  const run = await old.running(busy, 1);
  world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  const stopped = first.stop();
  await world.enqueue(other, 1);
  await eventually('the run is aborted', () => run.signal.aborted);
  expect(await world.laneConsumers(0)).toBe(2);
  run.end({ kind: 'retry', error, delayMs: 0 });
  (await fresh.running(other, 1)).end();
  expect(await world.settled(other, 1)).toMatchObject({ status: 'done' });
  (await fresh.running(busy, 1)).end();
  await stopped;
});

test('a handover does not wait for a user that waits for an earlier run of the same worker', async () => {
  await using world = await openWorld({ lanes: 1, graceMs: 30_000, ...never });
  const proxy = await world.cuttable();
  const [old, fresh] = [heldRuns(), heldRuns()];
  const first = world.work(old.runRequest, { config: proxy.config });
  const [busy, other] = [await world.user(), await world.user()];
  await world.enqueue(busy, 1);
  const run = await old.running(busy, 1);
  await proxy.cut();
  await eventually('the run is aborted', () => run.signal.aborted);
  await eventually('the lane is owned again', () => first.snapshot().lanesOwned === 1);
  world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  const stopped = first.stop();
  await world.enqueue(other, 1);
  (await fresh.running(other, 1)).end();
  run.end();
  (await fresh.running(busy, 1)).end();
  await stopped;
});

test('a worker that still ends a lent run knows that its lanes have an owner', async () => {
  await using world = await openWorld({ lanes: 2, graceMs: 20_000, balanceMs: 100, ...never });
  const [old, fresh] = [heldRuns(), quickRuns()];
  const first = world.work(old.runRequest);
  const user = await world.user();
  await world.enqueue(user, 1);
  const run = await old.running(user, 1);
  const second = world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) + (await world.laneConsumers(1)) === 4);
  const stopped = first.stop();
  await eventually('the other worker owns all lanes', () => second.snapshot().lanesOwned === 2);
  const ownerOfAll = async () => (await world.stores.workers.all()).find(({ lanes }) => lanes.length === 2);
  const { at } = await eventually('its heartbeat says so', ownerOfAll);
  // An owner that was not heard of for 5 s counts as gone.
  await eventually('6 s have passed', async () => Number((await ownerOfAll())?.at) - at.getTime() > 6_000);
  expect([first.snapshot().lanesWithoutOwner, second.snapshot().lanesWithoutOwner]).toEqual([[], []]);
  run.end();
  await stopped;
});
