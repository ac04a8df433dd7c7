/** A user queue that RabbitMQ refuses concerns its user alone [R10], on real servers. */
import { expect, test } from '@jest/globals';
import { readableLog } from '../support/log-lines.ts';
import { eventually, openWorld } from '../support/world.ts';
import { heldRuns, quickRuns } from './runs.ts';

/** Nothing here waits for a sweep. */
const noSweep = { lanes: 1, sweepMs: 600_000, stuckAfterMs: 600_000 };

test('a refused user is served in order, and the run of a neighbor goes on undisturbed', async () => {
  await using world = await openWorld(noSweep);
  const { runs, runRequest, running, of } = heldRuns();
  const worker = world.work(runRequest);
  const [refused, neighbor] = [await world.user(), await world.user()];
  await world.declareOtherUserQueue(refused);
  await world.enqueue(neighbor, 1);
  const long = await running(neighbor, 1);
  for (let seq = 1; seq <= 5; seq += 1) {
    await world.enqueue(refused, seq);
    (await running(refused, seq)).end();
    expect(await world.settled(refused, seq)).toMatchObject({ status: 'done', attempts: 1 });
  }
  expect(worker.snapshot()).toMatchObject({ lanesOwned: 1, refusedQueues: 1 });
  expect(long.signal.aborted).toBe(false);
  await eventually('the neighbor has a consumer', async () => (await world.userQueueConsumers(neighbor)) === 1);
  long.end();
  expect(await world.settled(neighbor, 1)).toMatchObject({ status: 'done', attempts: 1 });
  expect(of(neighbor)).toHaveLength(1);
  expect(new Set(runs.map(({ fencingToken }) => fencingToken)).size).toBe(1);
});

test('a request that was published to the queue before the refusal was marked is not missed', async () => {
  await using world = await openWorld(noSweep);
  const user = await world.user();
  await world.declareOtherUserQueue(user);
  const { userQueues } = world.stores;
  let published = false;
  const noteQueueRefused: typeof userQueues.noteQueueRefused = async (userId, refused) => {
    if (!published) await world.enqueue(user, 2);
    published = true;
    await userQueues.noteQueueRefused(userId, refused);
  };
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest, { stores: { userQueues: { ...userQueues, noteQueueRefused } } });
  await world.enqueue(user, 1);
  await world.settled(user, 2);
  expect(await world.waitingMessages(user)).toBe(1);
  expect(seqs(user)).toEqual([1, 2]);
});

test('when RabbitMQ accepts the queue again, it is opened, and functions publish again', async () => {
  await using world = await openWorld(noSweep);
  const { runRequest } = quickRuns();
  const worker = world.work(runRequest);
  const user = await world.user();
  await world.declareOtherUserQueue(user);
  await world.enqueue(user, 1);
  await world.settled(user, 1);
  await eventually('the refusal is marked', async () => (await world.queue(user))?.queueRefused === true);
  await world.deleteUserQueue(user);
  await eventually('the queue is consumed', async () => (await world.userQueueConsumers(user)) === 1);
  await eventually('the mark is gone', async () => !(await world.queue(user))?.queueRefused);
  expect(worker.snapshot().refusedQueues).toBe(0);
  await world.enqueue(user, 2);
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done' });
});

test('a refused user that disconnects is closed', async () => {
  await using world = await openWorld(noSweep);
  const { runRequest } = quickRuns();
  world.work(runRequest);
  const user = await world.user();
  await world.declareOtherUserQueue(user);
  await world.enqueue(user, 1);
  await world.settled(user, 1);
  expect(await world.disconnect(user, { waitMs: 5_000 })).toBe('closed');
  expect(await world.userQueueExists(user)).toBe(false);
  expect((await world.queue(user))?.queueRefused).toBeFalsy();
});

test('many refused users are one warning, and not one each', async () => {
  await using world = await openWorld(noSweep);
  const { log, lines } = readableLog();
  const worker = world.work(quickRuns().runRequest, { log });
  const users = await Promise.all(Array.from({ length: 20 }, () => world.user()));
  for (const user of users) {
    await world.declareOtherUserQueue(user);
    await world.enqueue(user, 1);
  }
  for (const user of users) await world.settled(user, 1);
  await eventually('all are refused', () => worker.snapshot().refusedQueues === users.length);
  const text = 'RabbitMQ refused a user queue: serving its user from the ledger';
  expect(lines.filter(({ msg }) => msg === text)).toHaveLength(1);
});
