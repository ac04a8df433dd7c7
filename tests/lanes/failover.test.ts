/** Failures of servers, workers and messages, and what happens then, on real servers. */
import { expect, test } from '@jest/globals';
import { workersByToken } from '../../lib/requests/attempts.ts';
import { retryRequest } from '../../lib/requests/retry.ts';
import { eventually, openWorld } from '../support/world.ts';
import { done, error, heldRuns, quickRuns } from './runs.ts';

test('a user queue that is deleted from outside is declared again, and none of its requests is lost', async () => {
  await using world = await openWorld({ sweepMs: 600_000 });
  const { runRequest, running } = heldRuns();
  world.work(runRequest);
  const user = await world.user();
  for (let n = 1; n <= 12; n += 1) await world.enqueue(user, n);
  const first = await running(user, 1);
  await eventually('the queue exists', () => world.userQueueExists(user));
  await world.enqueue(user, 13);
  await world.deleteUserQueue(user);
  first.end();
  for (let seq = 2; seq <= 13; seq += 1) (await running(user, seq)).end();
  await eventually('the queue exists again', () => world.userQueueExists(user));
  await world.enqueue(user, 14);
  (await running(user, 14)).end();
  expect(await world.settled(user, 14)).toMatchObject({ status: 'done', attempts: 1 });
});

test('when a worker loses RabbitMQ, another worker runs its requests under a higher fencing token, and the outcome of the first is refused', async () => {
  await using world = await openWorld({ lanes: 1 });
  const [old, fresh] = [heldRuns(), heldRuns()];
  const way = await world.cuttable();
  world.work(old.runRequest, { config: way.config });
  const user = await world.user();
  await world.enqueue(user, 1);
  await world.enqueue(user, 2);
  const stale = await old.running(user, 1);
  world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  await way.cut();
  const again = await fresh.running(user, 1);
  expect(again).toMatchObject({ attempt: 2, forgiven: 1, interruptions: 1 });
  expect(again.fencingToken).toBeGreaterThan(stale.fencingToken);
  expect(stale.signal.aborted).toBe(true);
  stale.end({ kind: 'done', result: '"stale"' });
  again.end({ kind: 'done', result: '"fresh"' });
  (await fresh.running(user, 2)).end();
  await world.settled(user, 2);
  const entry = await world.entry(user, 1);
  expect(entry).toMatchObject({ status: 'done', result: '"fresh"', attempts: 2 });
  expect(entry?.attemptLog).toMatchObject([{ attempt: 1, token: stale.fencingToken, outcome: 'interrupted' }]);
  const tokens = [stale.fencingToken, again.fencingToken];
  const byToken = await workersByToken(0, world.stores);
  expect(new Set(tokens.map((token) => byToken.get(token))).size).toBe(2);
});

test('a lone worker that loses RabbitMQ acquires its lanes again and never runs two requests of a user at once', async () => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  const way = await world.cuttable();
  const worker = world.work(runRequest, { config: way.config });
  const user = await world.user();
  await world.enqueue(user, 1);
  await world.enqueue(user, 2);
  const first = await running(user, 1);
  await way.cut();
  await eventually('it owns the lanes again', () => worker.snapshot().lanesOwned === world.config.lanes);
  first.end({ kind: 'done', result: '"kept"' });
  (await running(user, 2)).end();
  expect(await world.settled(user, 1)).toMatchObject({ status: 'done', result: '"kept"', attempts: 1 });
  expect(of(user).map(({ seq }) => seq)).toEqual([1, 2]);
});

test('an owner that finds a request settled under a later token goes on only after it has taken a later token', async () => {
  await using world = await openWorld({ lanes: 1 });
  const { runs, runRequest } = quickRuns();
  const worker = world.work(runRequest);
  await eventually('the lane is owned', () => worker.snapshot().lanesOwned === 1);
  const user = await world.user();
  const { userId, sessionId } = user;
  const { ledger, userQueues } = world.stores;
  const at = new Date();
  await userQueues.takeTicket(userId, sessionId, at);
  await ledger.insert({ userId, seq: 1, body: '1', acceptedAt: at });
  const later = { userId, seq: 1, token: 2, attempt: 1, at };
  await ledger.commit([{ ...later, kind: 'claim', interruptions: 0, forgiven: 0 }]);
  await ledger.commit([{ ...later, kind: 'settle', status: 'done', result: '1' }]);
  await world.enqueue(user, 2);
  await world.settled(user, 2);
  expect(runs.map(({ seq, fencingToken }) => [seq, fencingToken])).toEqual([[2, 2]]);
});

test('a run that a stopping worker aborts counts neither as an attempt nor as an interruption', async () => {
  await using world = await openWorld({ graceMs: 0 });
  const user = await world.user();
  await world.enqueue(user, 1);
  for (const attempt of [1, 2, 3]) {
    const { runRequest, running } = heldRuns();
    const worker = world.work(runRequest);
    const run = await running(user, 1);
    expect(run).toMatchObject({ attempt, forgiven: attempt - 1, interruptions: 0 });
    run.signal.addEventListener('abort', () => run.end({ kind: 'retry', error, delayMs: 0 }));
    await worker.stop();
    const entry = await world.entry(user, 1);
    expect(entry).toMatchObject({ status: 'queued', attempts: attempt, forgiven: attempt });
    expect(entry?.attemptLog?.at(-1)).toMatchObject({ attempt, token: run.fencingToken, outcome: 'aborted' });
  }
});

test('after a handover with a backlog, requests still arrive by message and none needs the sweep', async () => {
  await using world = await openWorld({ sweepMs: 600_000, lanes: 1 });
  const held = heldRuns();
  const first = world.work(held.runRequest);
  const user = await world.user();
  await world.enqueue(user, 1);
  const running = await held.running(user, 1);
  await eventually('the queue exists', () => world.userQueueExists(user));
  for (let n = 2; n <= 25; n += 1) await world.enqueue(user, n);
  const stopped = first.stop();
  running.end();
  await stopped;
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest);
  await world.settled(user, 25);
  for (let n = 26; n <= 50; n += 1) {
    await world.enqueue(user, n);
    await world.settled(user, n, 3_000);
  }
  expect(seqs(user)).toEqual(Array.from({ length: 49 }, (_, index) => index + 2));
});

test('a blocked user goes on after a retry or a skip even when the wake was lost', async () => {
  await using world = await openWorld({ stuckAfterMs: 300, sweepMs: 600_000 });
  const error = { name: 'Error', message: 'no' };
  const { runRequest, seqs } = quickRuns(({ seq, attempt }) =>
    seq < 3 && attempt === 1 ? { kind: 'blocked', error, reason: 'failed' } : done,
  );
  world.work(runRequest);
  const user = await world.user();
  for (const n of [1, 2, 3]) await world.enqueue(user, n);
  const blocked = (seq: number) =>
    eventually(`request ${seq} is blocked`, async () => (await world.entry(user, seq))?.status === 'blocked');
  await blocked(1);
  expect(await world.stores.ledger.unblock({ userId: user.userId, seq: 1, attempts: 1 })).toBe(true);
  await blocked(2);
  expect(await world.stores.ledger.skip({ userId: user.userId, seq: 2 }, new Date())).toBe(true);
  await world.settled(user, 3);
  expect(seqs(user)).toEqual([1, 1, 2, 3]);
  expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 2, forgiven: 1 });
});

test('a retry is not missed when its wake arrives before the owner has the answer to its own block', async () => {
  await using world = await openWorld({ stuckAfterMs: 600_000, sweepMs: 600_000 });
  const user = await world.user();
  const { ledger, lanes } = world.stores;
  let refreshes = 0;
  const retryAndAwaitRefresh = async (): Promise<void> => {
    const before = refreshes;
    await retryRequest({ ...user, seq: 1 }, world.deps);
    await eventually('the owner has refreshed', () => refreshes > before);
  };
  const { runRequest } = quickRuns(({ attempt }) =>
    attempt === 1 ? { kind: 'blocked', error, reason: 'failed' } : done,
  );
  world.work(runRequest, {
    stores: {
      lanes: {
        ...lanes,
        // A refresh ends with this query.
        async leases(asked) {
          const leases = await lanes.leases(asked);
          refreshes += 1;
          return leases;
        },
      },
      ledger: {
        ...ledger,
        async commit(changes) {
          const results = await ledger.commit(changes);
          if (changes.some(({ kind }) => kind === 'block')) await retryAndAwaitRefresh();
          return results;
        },
      },
    },
  });
  await world.enqueue(user, 1);
  await eventually('it has run again', async () => (await world.entry(user, 1))?.status === 'done');
});

test('a user that is loaded as closing is closed by the next owner', async () => {
  await using world = await openWorld();
  const user = await world.user();
  await world.enqueue(user, 1);
  await world.stores.ledger.cancelQueued(user.userId, { after: 0, upTo: 1 }, new Date());
  await world.stores.userQueues.removeSession(user.userId, user.sessionId);
  expect(await world.stores.userQueues.beginClose(user.userId, 1, true, new Date())).toBe(true);
  world.work(quickRuns().runRequest);
  await eventually('closed', async () => (await world.queue(user))?.state === 'closed');
  expect(await world.userQueueExists(user)).toBe(false);
});
