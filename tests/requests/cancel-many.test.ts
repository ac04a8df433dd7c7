/** Cancelling several requests of a user, in memory: what is cancelled, in which order, and who is told. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { Publisher } from '../../lib/ports.ts';
import { cancelAll, cancelListed } from '../../lib/requests/cancel-many.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import type { UserQueue } from '../../lib/types.ts';
import { claim, insertQueued, newUserId, retry } from '../store/store-contract.ts';

/** A user with so many queued requests. `msEach`: how long each statement takes. */
const openUser = async (count: number, { msEach = 0 } = {}) => {
  const stores = createMemoryStores();
  const userId = newUserId();
  await insertQueued(stores, userId, ...Array.from({ length: count }, (_, index) => index + 1));
  await stores.userQueues.create(userId, 3, new Date());
  const [closed] = await stores.userQueues.get([userId]);
  const queue: UserQueue = { ...(closed as UserQueue), state: 'open', accepted: count };
  const woken: number[] = [];
  const told: number[] = [];
  let nowMs = 0;
  const publisher: Publisher = {
    publishRequest: async () => 'routed',
    publishBaton: async () => 'routed',
    publishWake: async (lane: number) => {
      woken.push(lane);
      return 'routed';
    },
  };
  const statements: number[][] = [];
  const cancelEach: typeof stores.ledger.cancelEach = (id, seqs, now) => {
    nowMs += msEach;
    statements.push([...seqs]);
    return stores.ledger.cancelEach(id, seqs, now);
  };
  const deps = {
    ...stores,
    ledger: { ...stores.ledger, cancelEach },
    ...{ publisher, log: createLogger('silent'), config: { lanes: 4 } },
    clock: { ...systemClock, now: () => new Date(), monotonicMs: () => nowMs },
    hints: { tell: (_lane: number, _userId: string, seq?: number) => void (seq !== undefined && told.push(seq)) },
  };
  const guard = { userId, seq: 1, token: 1, attempt: 1 };
  const statuses = async () => (await stores.ledger.page(userId, { after: 0, limit: count })).map((one) => one.status);
  return { stores, queue, deps, guard, woken, told, statements, statuses };
};

test('all that wait are cancelled, the last ones first, and their streams are told of each', async () => {
  const { queue, deps, woken, told, statements, statuses } = await openUser(1_100);
  expect(await cancelAll(queue, {}, deps)).toEqual({ cancelled: 1_100 });
  expect(statements.map((seqs) => [Math.max(...seqs), Math.min(...seqs)])).toEqual([
    [1_100, 601],
    [600, 101],
    [100, 1],
  ]);
  expect(new Set(told).size).toBe(1_100);
  expect(new Set(await statuses())).toEqual(new Set(['cancelled']));
  // Nobody waits for what has never started.
  expect(woken).toEqual([]);
  expect(await cancelAll(queue, {}, deps)).toEqual({ cancelled: 0 });
});

test('what runs goes on, what is settled stays, and what was accepted since is left', async () => {
  const { stores, queue, deps, guard, statuses } = await openUser(4);
  await stores.ledger.commit([claim(guard)]);
  await insertQueued(stores, queue.userId, 5);
  expect(await cancelAll(queue, {}, deps)).toEqual({ cancelled: 3 });
  expect(await statuses()).toEqual(['processing', 'cancelled', 'cancelled', 'cancelled']);
  expect((await stores.ledger.read([{ ...queue, seq: 5 }]))[0]?.status).toBe('queued');
});

test('a call that takes long says where it stopped, and another one goes on there', async () => {
  const { queue, deps, statuses } = await openUser(1_600, { msEach: 3_000 });
  const first = await cancelAll(queue, {}, deps);
  expect(first).toEqual({ cancelled: 1_000, next: 600 });
  expect((await statuses()).indexOf('cancelled')).toBe(600);
  expect(await cancelAll(queue, { upTo: first.next }, deps)).toEqual({ cancelled: 600 });
});

test('the owner is woken when the request is cancelled whose next attempt it waits for, also by a repeated call', async () => {
  const { stores, queue, deps, guard, woken } = await openUser(2);
  await stores.ledger.commit([claim(guard)]);
  await stores.ledger.commit([retry(guard)]);
  expect(await cancelAll(queue, {}, deps)).toEqual({ cancelled: 2 });
  expect(woken).toEqual([3]);
  expect(await cancelAll(queue, {}, deps)).toEqual({ cancelled: 0 });
  expect(await cancelListed(queue, [1], deps)).toEqual([{ seq: 1, result: 'cancelled' }]);
  expect(woken).toEqual([3, 3, 3]);
});

test('each listed request has its result, in the order of the list', async () => {
  const { stores, queue, deps, guard, told } = await openUser(3);
  await stores.ledger.commit([claim(guard)]);
  const results = await cancelListed(queue, [3, 1, 9], deps);
  expect(results).toMatchObject([
    { seq: 3, result: 'cancelled' },
    { seq: 1, result: 'refused', code: 'not-cancellable', detail: expect.stringContaining('is processing') },
    { seq: 9, result: 'refused', code: 'request-not-found' },
  ]);
  // A stream would look for a request that does not exist.
  expect(told).toEqual([3]);
  expect(await cancelListed(queue, [3], deps)).toEqual([{ seq: 3, result: 'cancelled' }]);
});
