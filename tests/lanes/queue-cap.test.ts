/** A cap on user queues: who has one, and that users beyond the cap are served [R15]. On real servers, but for the first tests. */
import { expect, test } from '@jest/globals';
import { closeEarly, noteMessage } from '../../lib/lanes/loaded-user.ts';
import { capOfLane, QueueCap } from '../../lib/lanes/queue-cap.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';
import { delivery, user as loaded, message, queueOf, step } from './one-user.ts';
import { heldRuns, quickRuns } from './runs.ts';

/** Nothing here waits for a sweep, and no queue closes because it is idle. */
const capped = { lanes: 1, maxOpenQueues: 1, sweepMs: 600_000, stuckAfterMs: 600_000, idleTimeoutMs: 600_000 };

test.each([
  [100, 64],
  [3, 4],
  [5_000, 512],
])('the parts of a cap of %i in %i lanes add up to it, and differ by one at most', (maxOpenQueues, lanes) => {
  const parts = Array.from({ length: lanes }, (_, lane) => capOfLane(lane, { lanes, maxOpenQueues }));
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(maxOpenQueues);
  expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
});

test('a lane beyond LANES has no part of the cap, and without a cap none is limited', () => {
  expect(capOfLane(4, { lanes: 4, maxOpenQueues: 100 })).toBe(0);
  expect(capOfLane(4, { lanes: 4, maxOpenQueues: 0 })).toBe(Number.POSITIVE_INFINITY);
});

test('the user whose queue was idle for longest gives it up, once it was idle for a tenth of the time', () => {
  const cap = new QueueCap(2);
  const [later, longest, beyond] = [loaded(), loaded(), loaded()];
  later.idleSince = 500;
  expect([later, longest, beyond].map((one) => cap.take(one))).toEqual([true, true, false]);
  expect(cap.takeIdle(900, 10_000)).toBeUndefined();
  expect(cap.takeIdle(1_000, 10_000)).toBe(longest);
  closeEarly(longest);
  expect(step(longest, 1_000)).toEqual({ kind: 'begin-close', onlyWithoutSession: false });
  expect(cap.take(beyond)).toBe(false);
  cap.release(longest);
  expect(cap.take(beyond)).toBe(true);
});

test('a user that works keeps its queue, and what comes before the close keeps it open', () => {
  const cap = new QueueCap(1);
  const busy = loaded(queueOf({ accepted: 1 }));
  cap.take(busy);
  expect(cap.takeIdle(5_000, 10_000)).toBeUndefined();
  const idle = loaded();
  closeEarly(idle);
  noteMessage(idle, message(1), delivery(), 0);
  expect(step(idle).kind).toBe('run');
});

const haveQueues = async (world: World, users: TestUser[]): Promise<TestUser[]> => {
  const exist = await Promise.all(users.map((user) => world.userQueueExists(user)));
  return users.filter((_, index) => exist[index]);
};

test('a user beyond the cap is served in order while another has the only queue', async () => {
  await using world = await openWorld(capped);
  const { runRequest, running, of } = heldRuns();
  const worker = world.work(runRequest);
  const [first, beyond] = [await world.user(), await world.user()];
  await world.enqueue(first, 1);
  const long = await running(first, 1);
  await eventually('the first user has a queue', () => world.userQueueExists(first));
  for (let seq = 1; seq <= 3; seq += 1) await world.enqueue(beyond, seq);
  for (let seq = 1; seq <= 3; seq += 1) {
    (await running(beyond, seq)).end();
    expect(await world.settled(beyond, seq)).toMatchObject({ status: 'done', attempts: 1 });
  }
  expect(of(beyond).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(await haveQueues(world, [first, beyond])).toEqual([first]);
  expect(worker.snapshot()).toMatchObject({ usersLoaded: 2, queuesBeyondCap: 1, refusedQueues: 0 });
  expect(await world.queue(beyond)).toMatchObject({ state: 'open', queueRefused: true });
  long.end();
  await world.settled(first, 1);
  expect(await world.disconnect(beyond, { waitMs: 5_000 })).toBe('closed');
  expect((await world.queue(beyond))?.queueRefused).toBeFalsy();
});

test('the queue of an idle user goes to one that has work', async () => {
  await using world = await openWorld({ ...capped, idleTimeoutMs: 2_000 });
  const { runRequest } = quickRuns();
  const worker = world.work(runRequest);
  const [first, second] = [await world.user(), await world.user()];
  await world.enqueue(first, 1);
  await world.settled(first, 1);
  await eventually('the first user has a queue', () => world.userQueueExists(first));
  let sent = 0;
  await eventually('the second user has the queue', async () => {
    sent += 1;
    await world.enqueue(second, sent);
    await world.settled(second, sent);
    return world.userQueueExists(second);
  });
  expect(await haveQueues(world, [first, second])).toEqual([second]);
  await eventually('the mark is gone', async () => !(await world.queue(second))?.queueRefused);
  expect(worker.snapshot().queuesBeyondCap).toBe(0);
  await world.enqueue(first, 2);
  expect(await world.settled(first, 2)).toMatchObject({ status: 'done' });
});

test('a worker that introduces the cap deletes what is beyond it, and misses nothing that was published', async () => {
  await using world = await openWorld({ ...capped, maxOpenQueues: 0 });
  const { runRequest, seqs } = quickRuns();
  const before = world.work(runRequest);
  const users = await Promise.all(Array.from({ length: 5 }, () => world.user()));
  for (const user of users) {
    await world.enqueue(user, 1);
    await world.settled(user, 1);
    await eventually('there is a queue', () => world.userQueueExists(user));
  }
  await before.stop();
  // Published to queues that nobody consumes now.
  for (const user of users) await world.enqueue(user, 2);
  const { userQueues } = world.stores;
  const marked = new Set<string>();
  const noteQueueRefused: typeof userQueues.noteQueueRefused = async (userId, refused) => {
    const user = users.find((one) => one.userId === userId);
    if (user && !marked.has(userId)) await world.enqueue(user, 3);
    marked.add(userId);
    await userQueues.noteQueueRefused(userId, refused);
  };
  world.work(runRequest, { config: { maxOpenQueues: 1 }, stores: { userQueues: { ...userQueues, noteQueueRefused } } });
  await eventually('all but one are marked', () => marked.size === users.length - 1);
  for (const user of users) {
    const last = marked.has(user.userId) ? 3 : 2;
    expect(await world.settled(user, last)).toMatchObject({ status: 'done' });
    expect(seqs(user)).toEqual([1, 2, 3].slice(0, last));
  }
  await eventually('one queue is left', async () => (await haveQueues(world, users)).length === 1);
});
