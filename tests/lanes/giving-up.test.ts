/** Lanes that a worker gives up, on real servers: they move when no run of theirs goes on, or when those are lent out [R16]. */
import { expect, test } from '@jest/globals';
import { createLaneBroker } from '../../lib/broker/lane-broker.ts';
import { systemClock } from '../../lib/clock.ts';
import { laneOf } from '../../lib/lane-of.ts';
import { createContext } from '../../lib/lanes/context.ts';
import { LaneHold } from '../../lib/lanes/lane-hold.ts';
import { createShare } from '../../lib/lanes/share.ts';
import { openStores } from '../../lib/store/stores.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually, openWorld, runHere, silentObserver, type TestUser, type World } from '../support/world.ts';
import { heldRuns } from './runs.ts';

const never = { sweepMs: 600_000, stuckAfterMs: 600_000, balanceMs: 600_000 };

const userIn = async (lane: number, world: World): Promise<TestUser> => {
  const user = await world.user();
  return laneOf(user.userId, world.config.lanes) === lane ? user : userIn(lane, world);
};

/** Two workers. The first owns both lanes, is inside a run of `busy`, in lane 0, and MongoDB can be taken from it alone. */
const openTwoWorkers = async (graceMs: number) => {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await openWorld({ lanes: 2, graceMs, ...never }));
  const proxy = await startProxyTo(world.config.mongodbUrl);
  stack.defer(() => proxy.close());
  const stores = openStores({ ...world.config, mongodbUrl: proxy.url, storeTimeoutMs: 300 });
  stack.defer(() => stores.close());
  const [old, fresh] = [heldRuns(), heldRuns()];
  const first = world.work(old.runRequest, { stores, config: { storeTimeoutMs: 300 } });
  const [busy, other] = [await userIn(0, world), await userIn(1, world)];
  await world.enqueue(busy, 1);
  const run = await old.running(busy, 1);
  await eventually('it owns both lanes', () => first.snapshot().lanesOwned === 2);
  world.work(fresh.runRequest);
  await eventually('the other one stands by', async () => (await world.laneConsumers(1)) === 2);
  stack.defer(() => first.stop());
  stack.defer(() => run.end());
  stack.defer(() => proxy.thaw());
  proxy.freeze();
  await eventually('its signal is aborted', () => run.signal.aborted);
  return { world, proxy, first, fresh, busy, other, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

test('a worker that MongoDB does not answer gives its lanes up, but not while a run that ignores its signal goes on', async () => {
  await using two = await openTwoWorkers(60_000);
  const { world, proxy, fresh, busy, other, run } = two;
  await world.enqueue(busy, 2);
  await world.enqueue(other, 1);
  (await fresh.running(other, 1)).end();
  await world.settled(other, 1);
  expect(await world.laneConsumers(busy.lane)).toBe(2);
  expect(fresh.of(busy)).toEqual([]);

  run.end({ kind: 'done', result: '"late"' });
  const again = await fresh.running(busy, 1);
  expect(again.attempt).toBe(2);
  proxy.thaw();
  again.end();
  (await fresh.running(busy, 2)).end();
  expect(await world.settled(busy, 2)).toMatchObject({ status: 'done', attempts: 1 });
  expect(await world.entry(busy, 1)).toMatchObject({ status: 'done', attempts: 2, result: 'null' });
});

test('as soon as MongoDB answers, the run is lent out, and everybody else in its lane is served', async () => {
  await using two = await openTwoWorkers(60_000);
  const { world, proxy, fresh, busy, run } = two;
  const neighbor = await userIn(busy.lane, world);
  await world.enqueue(busy, 2);
  await world.enqueue(neighbor, 1);
  proxy.thaw();
  (await fresh.running(neighbor, 1)).end();
  await world.settled(neighbor, 1);
  expect(fresh.of(busy)).toEqual([]);

  run.end({ kind: 'done', result: '"kept"' });
  (await fresh.running(busy, 2)).end();
  await world.settled(busy, 2);
  expect(await world.entry(busy, 1)).toMatchObject({ status: 'done', attempts: 1, result: '"kept"' });
});

test('a worker that stops waits for a run that it has lent out when it gave the lane up', async () => {
  await using two = await openTwoWorkers(60_000);
  const { world, proxy, first, fresh, busy, run } = two;
  proxy.thaw();
  await eventually('the run is lent out', async () => (await world.queue(busy))?.lent?.seq === 1);
  let isStopped = false;
  const stopped = first.stop().then(() => {
    isStopped = true;
  });
  await eventually('it stands by no more', async () => (await world.laneConsumers(busy.lane)) === 1);
  const neighbor = await userIn(busy.lane, world);
  await world.enqueue(neighbor, 1);
  (await fresh.running(neighbor, 1)).end();
  await world.settled(neighbor, 1);
  expect(isStopped).toBe(false);
  run.end({ kind: 'done', result: '"kept"' });
  await stopped;
  expect(await world.settled(busy, 1)).toMatchObject({ attempts: 1, result: '"kept"' });
});

test('the baton of a lane whose run goes on is renewed', async () => {
  await using world = await openWorld({ lanes: 1 });
  const laneBroker = createLaneBroker(world.config, world.deps.log);
  await using _open = { [Symbol.asyncDispose]: () => laneBroker.close() };
  let batons = 0;
  const publisher = {
    ...world.deps.publisher,
    publishBaton: (lane: number) => {
      batons += 1;
      return world.deps.publisher.publishBaton(lane);
    },
  };
  const userQueues = { ...world.stores.userQueues, noteLent: () => Promise.reject(new Error('no space is left')) };
  const held = heldRuns();
  const user = await world.user();
  await world.enqueue(user, 1);
  const share = createShare(systemClock, 'w', () => 1);
  const hold = new LaneHold(
    0,
    createContext(
      { ...world.deps, publisher, userQueues, laneBroker, ...held, planRun: runHere, observer: silentObserver },
      'w',
      share,
    ),
  );
  const run = await held.running(user, 1);
  hold.lose('a step failed');
  expect(run.signal.aborted).toBe(true);
  const before = batons;
  await hold.renewBaton();
  expect(batons).toBe(before + 1);
  expect(hold.state).toBe('giving-up');
  run.end();
  expect(await hold.ended).toBe('lost');
  await hold.renewBaton();
  expect(batons).toBe(before + 1);
});
