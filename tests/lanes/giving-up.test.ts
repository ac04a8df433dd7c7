/** Lanes that a worker gives up, on real servers: they move when no run of theirs goes on [R16]. */
import { expect, test } from '@jest/globals';
import { laneOf } from '../../lib/lane-of.ts';
import { openStores } from '../../lib/store/stores.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';
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

test('when such a run goes on for the time of grace, its worker retires, and its process may end', async () => {
  await using two = await openTwoWorkers(300);
  const { world, proxy, first, busy, run } = two;
  await first.mustRetire;
  proxy.thaw();
  await first.retire();
  expect(run.ended).toBe(false);
  expect(await world.laneConsumers(busy.lane)).toBe(2);
  run.end();
});
