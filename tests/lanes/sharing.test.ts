/** How workers share lanes and hand them over, on real servers. */
import { expect, test } from '@jest/globals';
import type { RunRequest } from '../../lib/ports.ts';
import { eventually, openWorld, type TestUser } from '../support/world.ts';
import { heldRuns, quickRuns } from './runs.ts';

test('a worker that joins later gets its share within 10 s, and no request runs twice or out of order', async () => {
  await using world = await openWorld({ lanes: 16, balanceMs: 300 });
  const { runRequest, runs, seqs } = quickRuns();
  const first = world.work(runRequest);
  const users = await Promise.all(Array.from({ length: 20 }, () => world.user()));
  await eventually('all lanes are owned', () => first.snapshot().lanesOwned === 16);
  let sending = true;
  const senders = users.map(async (user) => {
    let sent = 0;
    while (sending) sent = (await world.enqueue(user, sent)).seq;
    return sent;
  });
  const second = world.work(runRequest);
  await eventually(
    'the lanes are shared',
    () => first.snapshot().lanesOwned === 8 && second.snapshot().lanesOwned === 8,
  );
  sending = false;
  const sent = await Promise.all(senders);
  await Promise.all(users.map((user, index) => world.settled(user, sent[index] ?? 0)));
  for (const user of users)
    expect(seqs(user)).toEqual(Array.from({ length: seqs(user).length }, (_, index) => index + 1));
  expect(runs.every(({ attempt }) => attempt === 1)).toBe(true);
});

test('a running worker stands by on the lanes of one that was started with more, and takes them over', async () => {
  await using world = await openWorld({ lanes: 8, balanceMs: 300 });
  const { runRequest } = quickRuns();
  const before = world.work(runRequest, { config: { lanes: 4 } });
  await eventually('all lanes are owned', () => before.snapshot().lanesOwned === 4);
  const raised = world.work(runRequest, { config: { lanes: 8 } });
  await eventually('the lanes are shared', () => {
    const shares = [before, raised].map((worker) => worker.snapshot().lanesOwned);
    return shares.join() === '4,4';
  });
  await eventually('both stand by on the last lane', async () => (await world.laneConsumers(7)) === 2);
  await raised.stop();
  await eventually('the earlier worker owns all lanes', () => before.snapshot().lanesOwned === 8);
});

test('a worker that joins five others gets its share within 10 s with the default settings', async () => {
  await using world = await openWorld({ lanes: 64 });
  const { runRequest } = quickRuns();
  const workers = Array.from({ length: 5 }, () => world.work(runRequest));
  const shares = () => workers.map((worker) => worker.snapshot().lanesOwned).sort((a, b) => a - b);
  await eventually('five share the lanes', () => shares().join() === '12,13,13,13,13', 60_000);
  workers.push(world.work(runRequest));
  await eventually('six share the lanes', () => shares().join() === '10,10,11,11,11,11', 10_000);
}, 90_000);

test('a worker that gets many lanes at once loads eight at a time', async () => {
  await using world = await openWorld({ lanes: 20 });
  const loads = Promise.withResolvers<void>();
  const under = { way: 0, wayAtMost: 0 };
  const { lanes } = world.deps;
  const takeLease: typeof lanes.takeLease = async (lane, ...taker) => {
    under.way += 1;
    under.wayAtMost = Math.max(under.wayAtMost, under.way);
    await loads.promise;
    const lease = await lanes.takeLease(lane, ...taker);
    under.way -= 1;
    return lease;
  };
  const worker = world.work(quickRuns().runRequest, { stores: { lanes: { ...lanes, takeLease } } });
  await eventually('eight are loaded', () => under.way === 8);
  loads.resolve();
  await eventually('all lanes are owned', () => worker.snapshot().lanesOwned === 20);
  expect(under.wayAtMost).toBe(8);
});

test('workers share quorum lanes, of which RabbitMQ does not say how many stand by', async () => {
  await using world = await openWorld({ lanes: 16, balanceMs: 300, laneQueueType: 'quorum' });
  const { runRequest } = quickRuns();
  const workers = [world.work(runRequest)];
  const shares = () => workers.map((worker) => worker.snapshot().lanesOwned);
  await eventually('one owns all lanes', () => shares().join() === '16');
  workers.push(world.work(runRequest));
  await eventually('two share the lanes', () => shares().join() === '8,8');
  await workers[0]?.stop();
  await eventually('the other one owns all lanes', () => shares()[1] === 16);
});

test('quorum lanes are not handed over to a worker that RabbitMQ does not reach', async () => {
  await using world = await openWorld({ lanes: 16, balanceMs: 300, laneQueueType: 'quorum' });
  const { runRequest } = quickRuns();
  const released: string[] = [];
  const first = world.work(runRequest, { observer: { laneReleased: ({ reason }) => released.push(reason) } });
  const proxied = await world.cuttable();
  const second = world.work(runRequest, proxied);
  await eventually(
    'two share the lanes',
    () => first.snapshot().lanesOwned === 8 && second.snapshot().lanesOwned === 8,
  );
  await proxied.cutForGood();
  await eventually('the other one owns all lanes', () => first.snapshot().lanesOwned === 16);
  const heartbeats = new Set<number>();
  let seen = 0;
  await eventually('no lane is handed over for some heartbeats', async () => {
    if (released.length > seen) heartbeats.clear();
    seen = released.length;
    for (const { at } of await world.stores.workers.all()) heartbeats.add(at.getTime());
    return heartbeats.size >= 6;
  });
  expect(first.snapshot().lanesOwned).toBe(16);
});

test('a worker that is stopped during a handover starts nothing more in that lane', async () => {
  await using world = await openWorld({ lanes: 2, balanceMs: 100 });
  const userIn = async (lane: number): Promise<TestUser> => {
    for (let user = await world.user(); ; user = await world.user()) if (user.lane === lane) return user;
  };
  const long = [await userIn(0), await userIn(1)];
  const short = [await userIn(0), await userIn(1)];
  const [old, fresh] = [heldRuns(), heldRuns()];
  const first = world.work(old.runRequest);
  await eventually('all lanes are owned', () => first.snapshot().lanesOwned === 2);
  for (const user of [...long, ...short]) await world.enqueue(user, 1);
  for (const user of short) (await old.running(user, 1)).end();
  for (const user of short) await world.settled(user, 1);
  for (const user of long) await old.running(user, 1);
  world.work(fresh.runRequest);
  await eventually('one lane is being handed over', () => first.snapshot().lanesOwned === 1);
  for (const user of short) await world.enqueue(user, 2);
  await eventually('the other lane goes on', () => old.runs.length === 5);
  const isDelivered = async (user: TestUser) => (await world.waitingMessages(user)) === 0;
  for (const user of short) await eventually('the worker has its message', () => isDelivered(user));
  const stopped = first.stop();
  for (const run of old.runs) run.end();
  await stopped;
  for (const user of short) {
    if (old.of(user).length === 1) (await fresh.running(user, 2)).end();
    expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1 });
  }
  expect(old.runs).toHaveLength(5);
});

test('a worker that stops under load hands everything over, and no request runs twice', async () => {
  await using world = await openWorld({ lanes: 16 });
  const { runRequest, runs, seqs } = quickRuns();
  const slow: RunRequest = async (run) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return runRequest(run);
  };
  const first = world.work(slow);
  await eventually('all lanes are owned', () => first.snapshot().lanesOwned === 16);
  const second = world.work(slow);
  const users = await Promise.all(Array.from({ length: 20 }, () => world.user()));
  const sending = Promise.all(
    users.map(async (user) => {
      for (let n = 0; n < 20; n += 1) await world.enqueue(user, n);
    }),
  );
  await eventually('work is under way', () => runs.length > 40);
  await first.stop();
  await sending;
  await Promise.all(users.map((user) => world.settled(user, 20)));
  expect(second.snapshot().lanesOwned).toBe(16);
  for (const user of users) expect(seqs(user)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(runs.every(({ attempt }) => attempt === 1)).toBe(true);
});
