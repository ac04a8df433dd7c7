/** How user queues close, on real servers. */
import { expect, test } from '@jest/globals';
import { eventually, openWorld } from '../support/world.ts';
import { heldRuns, quickRuns } from './runs.ts';

test('the user queue is deleted when the last session has ended and everything is settled, and not before', async () => {
  await using world = await openWorld();
  const { runRequest, running } = heldRuns();
  world.work(runRequest);
  const user = await world.user();
  const other = await world.login(user);
  await world.enqueue(user, 1);
  const first = await running(user, 1);
  await eventually('the queue exists', () => world.userQueueExists(user));
  expect(await world.disconnect(other)).toBe('connected');
  expect(await world.disconnect(user)).toBe('draining');
  expect(await world.userQueueExists(user)).toBe(true);
  first.end();
  expect(await world.disconnect(user, { waitMs: 5_000 })).toBe('closed');
  expect(await world.userQueueExists(user)).toBe(false);
  expect(await world.queue(user)).toMatchObject({ state: 'closed', accepted: 1, settled: 1 });
});

test('a disconnect that cancels leaves only the request that had started', async () => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  world.work(runRequest);
  const user = await world.user();
  for (const n of [1, 2, 3, 4]) await world.enqueue(user, n);
  const first = await running(user, 1);
  expect(await world.disconnect(user, { pending: 'cancel' })).toBe('draining');
  first.end();
  expect(await world.disconnect(user, { waitMs: 5_000 })).toBe('closed');
  expect(of(user)).toHaveLength(1);
  const statuses = await Promise.all([1, 2, 3, 4].map(async (seq) => (await world.entry(user, seq))?.status));
  expect(statuses).toEqual(['done', 'cancelled', 'cancelled', 'cancelled']);
});

test('an idle user queue is closed, and the next request opens it again', async () => {
  await using world = await openWorld({ idleTimeoutMs: 150 });
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest);
  const user = await world.user();
  for (const round of [1, 2, 3]) {
    await world.enqueue(user, round);
    await world.settled(user, round);
    await eventually('closed', async () => (await world.queue(user))?.state === 'closed');
    expect(await world.userQueueExists(user)).toBe(false);
  }
  expect(seqs(user)).toEqual([1, 2, 3]);
});

test('disconnects, logins and requests of one user at any moment lose no request and leave no queue', async () => {
  await using world = await openWorld({ idleTimeoutMs: 100 });
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest);
  let user = await world.user();
  const accepted: number[] = [];
  for (let round = 0; round < 30; round += 1) {
    const next = await world.login(user);
    const [sent] = await Promise.all([
      Promise.allSettled([world.enqueue(user, round), world.enqueue(user, round), world.enqueue(next, round)]),
      world.disconnect(user),
    ]);
    for (const result of sent) if (result.status === 'fulfilled') accepted.push(result.value.seq);
    user = next;
  }
  expect(await world.disconnect(user, { waitMs: 10_000 })).toBe('closed');
  expect(await world.userQueueExists(user)).toBe(false);
  for (const seq of accepted) expect(await world.entry(user, seq)).toMatchObject({ status: 'done' });
  expect(seqs(user)).toEqual([...seqs(user)].sort((a, b) => a - b));
  expect(new Set(seqs(user)).size).toBe(seqs(user).length);
});
