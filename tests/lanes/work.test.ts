/** What runs when, on real servers. */
import { expect, test } from '@jest/globals';
import { eventually, openWorld } from '../support/world.ts';
import { done, heldRuns, quickRuns } from './runs.ts';

test('the requests of a user run one at a time, in the order of seq, while users run side by side', async () => {
  await using world = await openWorld();
  const { runRequest, of, running } = heldRuns();
  const [anna, bert] = [await world.user(), await world.user()];
  for (const user of [anna, bert]) for (const n of [1, 2, 3]) await world.enqueue(user, n);
  world.work(runRequest);

  for (const seq of [1, 2, 3]) {
    const [a, b] = await Promise.all([running(anna, seq), running(bert, seq)]);
    expect([of(anna).length, of(bert).length]).toEqual([seq, seq]);
    expect(a.body).toBe(String(seq));
    b.end();
    a.end({ kind: 'done', result: `"${seq}"` });
  }
  expect(await world.settled(anna, 3)).toMatchObject({ status: 'done', result: '"3"', attempts: 1 });
});

test('a failing request is run again in its place, and nothing overtakes it', async () => {
  await using world = await openWorld();
  const error = { name: 'Error', message: 'not yet' };
  const { runs, runRequest } = quickRuns(({ seq, attempt }) =>
    seq === 1 && attempt < 3 ? { kind: 'retry', error, delayMs: 20 } : done,
  );
  world.work(runRequest);
  const user = await world.user();
  await world.enqueue(user, 'a');
  await world.enqueue(user, 'b');
  await world.settled(user, 2);
  expect(runs.map(({ seq, attempt }) => `${seq}.${attempt}`)).toEqual(['1.1', '1.2', '1.3', '2.1']);
  expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 3 });
});

test('a request that failed its last attempt is recorded with its error, and the next one runs', async () => {
  await using world = await openWorld();
  const error = { name: 'UnrecoverableError', message: 'never' };
  const { runRequest } = quickRuns(({ seq }) => (seq === 1 ? { kind: 'failed', error, reason: 'failed' } : done));
  world.work(runRequest);
  const user = await world.user();
  await world.enqueue(user, 'a');
  await world.enqueue(user, 'b');
  await world.settled(user, 2);
  expect(await world.entry(user, 1)).toMatchObject({ status: 'failed', error, attempts: 1 });
});

test('a request that is cancelled before it starts never runs', async () => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  world.work(runRequest);
  const user = await world.user();
  for (const n of [1, 2, 3]) await world.enqueue(user, n);
  const first = await running(user, 1);
  expect(await world.stores.ledger.cancel({ userId: user.userId, seq: 2 }, new Date())).toBe(true);
  expect(await world.stores.ledger.cancel({ userId: user.userId, seq: 1 }, new Date())).toBe(false);
  first.end();
  (await running(user, 3)).end();
  expect(await world.settled(user, 3)).toMatchObject({ status: 'done' });
  expect(of(user).map(({ seq }) => seq)).toEqual([1, 3]);
});

test('at most CONCURRENCY requests run at a time, and a user with a long backlog does not delay another user', async () => {
  await using world = await openWorld({ concurrency: 2 });
  const { runs, runRequest, running, of } = heldRuns();
  const [busy, busier, late] = [await world.user(), await world.user(), await world.user()];
  for (const user of [busy, busier]) for (let n = 0; n < 30; n += 1) await world.enqueue(user, n);
  world.work(runRequest);
  const first = await running(busy, 1);
  await running(busier, 1);
  await world.enqueue(late, 'x');
  await eventually('the late user waits for a slot', async () => (await world.queue(late))?.state === 'open');
  expect(runs).toHaveLength(2);
  first.end();
  let started = 2;
  for (; of(late).length === 0; started += 1) (await eventually(`run ${started + 1}`, () => runs[started])).end();
  expect(started).toBeLessThan(10);
});

test('a ticket whose function died becomes a tombstone after gapTimeoutMs, and the next request runs', async () => {
  await using world = await openWorld({ gapTimeoutMs: 200 });
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest);
  const user = await world.user();
  await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
  await world.enqueue(user, 'b');
  await world.settled(user, 2);
  expect(await world.entry(user, 1)).toMatchObject({ status: 'abandoned' });
  expect(seqs(user)).toEqual([2]);
});

test('a recorded request whose message never arrived is found by the sweep', async () => {
  await using world = await openWorld({ stuckAfterMs: 200, sweepMs: 100 });
  const { runRequest } = quickRuns();
  world.work(runRequest);
  const user = await world.user();
  await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
  await world.stores.ledger.insert({ userId: user.userId, seq: 1, body: '1', acceptedAt: new Date() });
  expect(await world.settled(user, 1)).toMatchObject({ status: 'done' });
});
