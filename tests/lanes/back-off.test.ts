/** A request that waits for its next attempt can be decided about, and its owner notices at once. On real servers. */
import { expect, test } from '@jest/globals';
import type { LedgerStore } from '../../lib/ports.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { dropDeadLetter, retryDeadLetter } from '../../lib/requests/dead-letters.ts';
import { retryRequest, skipRequest } from '../../lib/requests/retry.ts';
import type { Outcome } from '../../lib/types.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';
import { done, error, heldRuns, quickRuns } from './runs.ts';

const hourMs = 3_600_000;
const retryInAnHour: Outcome = { kind: 'retry', error, delayMs: hourMs };
/** Neither the sweep nor the owner's own reading may hide that a decision did not wake the owner. */
const noSafetyNets = { sweepMs: 600_000, stuckAfterMs: 600_000 };

/** The first attempt of request 1 fails, and the second would start in an hour. */
const failsOnce = () => quickRuns(({ seq, attempt }) => (seq === 1 && attempt === 1 ? retryInAnHour : done));

/** A user whose request 1 is in its back-off, with one more request behind it. */
const inBackOff = async (world: World): Promise<TestUser> => {
  const user = await world.user();
  for (const request of ['a', 'b']) await world.enqueue(user, request);
  await eventually('request 1 is in its back-off', async () => (await world.entry(user, 1))?.retryAt);
  return user;
};

/** For a worker whose refreshes a test waits for. It does one at a time: the queue document first, the lease last. */
const refreshesOf = (world: World) => {
  const { userQueues, lanes } = world.stores;
  let [begun, ended] = [0, 0];
  const get: typeof userQueues.get = (userIds) => {
    begun += 1;
    return userQueues.get(userIds);
  };
  const leases: typeof lanes.leases = async (wanted) => {
    const found = await lanes.leases(wanted);
    ended = begun;
    return found;
  };
  /** Until the refresh has arrived to which the decision's wake led. No other wake may be on its way. */
  const untilRefreshed = async (decide: () => Promise<unknown>): Promise<void> => {
    const before = begun;
    await decide();
    await eventually('the owner has refreshed the user', () => ended > before);
    await new Promise(setImmediate);
  };
  return { stores: { userQueues: { ...userQueues, get }, lanes: { ...lanes, leases } }, untilRefreshed };
};

type Decide = (world: World, user: TestUser) => Promise<unknown>;

const ofFirst = ({ userId, sessionId }: TestUser) => ({ userId, sessionId, seq: 1 });
const decisions: [name: string, decide: Decide, first: object, runs: number[]][] = [
  [
    'cancelled',
    (world, user) => cancelRequest(ofFirst(user), world.deps),
    { status: 'cancelled', attempts: 1, error },
    [1, 2],
  ],
  [
    'skipped',
    (world, user) => skipRequest(ofFirst(user), world.deps),
    { status: 'failed', attempts: 1, error, deadLetter: { reason: 'failed' } },
    [1, 2],
  ],
  [
    'retried now',
    (world, user) => retryRequest(ofFirst(user), world.deps),
    { status: 'done', attempts: 2, forgiven: 0 },
    [1, 1, 2],
  ],
  [
    'retried by an operator',
    (world, user) => retryDeadLetter.decide(ofFirst(user), world.deps),
    { status: 'done', attempts: 2 },
    [1, 1, 2],
  ],
  [
    'dropped by an operator',
    (world, user) => dropDeadLetter.decide(ofFirst(user), world.deps),
    { status: 'failed', attempts: 1, error },
    [1, 2],
  ],
];

test.each(decisions)(
  'a request in a back-off of an hour is %s, and its user goes on at once',
  async (_name, decide, first, ran) => {
    await using world = await openWorld(noSafetyNets);
    const { runRequest, seqs } = failsOnce();
    world.work(runRequest);
    const user = await inBackOff(world);
    await decide(world, user);
    await world.settled(user, 2);
    expect(await world.entry(user, 1)).toMatchObject(first);
    expect(seqs(user)).toEqual(ran);
  },
);

test('a disconnect that cancels is not held up by a back-off', async () => {
  await using world = await openWorld(noSafetyNets);
  const { runRequest, seqs } = failsOnce();
  world.work(runRequest);
  const user = await inBackOff(world);
  expect(await world.disconnect(user, { pending: 'cancel', waitMs: 10_000 })).toBe('closed');
  for (const seq of [1, 2]) expect(await world.entry(user, seq)).toMatchObject({ status: 'cancelled' });
  expect(seqs(user)).toEqual([1]);
});

test('a decision whose wake is lost is noticed within stuckAfterMs', async () => {
  await using world = await openWorld({ sweepMs: 600_000, stuckAfterMs: 500 });
  const { runRequest, seqs } = failsOnce();
  world.work(runRequest);
  const user = await inBackOff(world);
  expect(await world.stores.ledger.cancel({ userId: user.userId, seq: 1 }, new Date())).toBe(true);
  await world.settled(user, 2);
  expect(seqs(user)).toEqual([1, 2]);
});

test('a decision that comes before the owner knows that the failure is recorded is noticed too', async () => {
  await using world = await openWorld(noSafetyNets);
  const answers = Promise.withResolvers<void>();
  const recorded = Promise.withResolvers<void>();
  const commit: LedgerStore['commit'] = async (changes) => {
    const results = await world.stores.ledger.commit(changes);
    if (changes.some(({ kind }) => kind === 'retry')) {
      recorded.resolve();
      await answers.promise;
    }
    return results;
  };
  const { runRequest, seqs } = failsOnce();
  const { ledger } = world.stores;
  const { stores, untilRefreshed } = refreshesOf(world);
  world.work(runRequest, { stores: { ...stores, ledger: { ...ledger, commit } } });
  const user = await world.user();
  await world.enqueue(user, 'a');
  await recorded.promise;
  await untilRefreshed(() => skipRequest(ofFirst(user), world.deps));
  answers.resolve();
  await world.enqueue(user, 'b');
  await world.settled(user, 2);
  expect(seqs(user)).toEqual([1, 2]);
});

test('a decision that comes while the owner reads the request again is noticed too', async () => {
  await using world = await openWorld({ sweepMs: 600_000, stuckAfterMs: 2_000 });
  const { ledger } = world.stores;
  const answers = Promise.withResolvers<void>();
  const wasRead = Promise.withResolvers<void>();
  const readWork: LedgerStore['readWork'] = async (ids) => {
    const entries = await ledger.readWork(ids);
    if (entries.some(({ retryAt }) => retryAt)) {
      wasRead.resolve();
      await answers.promise;
    }
    return entries;
  };
  const { stores, untilRefreshed } = refreshesOf(world);
  const { runRequest, seqs } = failsOnce();
  world.work(runRequest, { stores: { ...stores, ledger: { ...ledger, readWork } } });
  const user = await inBackOff(world);
  await wasRead.promise;
  await untilRefreshed(() => cancelRequest(ofFirst(user), world.deps));
  const resumedAt = performance.now();
  answers.resolve();
  await world.settled(user, 2);
  // Not only at the next reading, 2 s later.
  expect(performance.now() - resumedAt).toBeLessThan(1_500);
  expect(seqs(user)).toEqual([1, 2]);
});

test('of a decision and the claim of the next attempt exactly one wins', async () => {
  await using world = await openWorld(noSafetyNets);
  const { runRequest, running, of } = heldRuns();
  const claims: PromiseWithResolvers<void>[] = [];
  const { ledger } = world.stores;
  const commit: LedgerStore['commit'] = async (changes) => {
    if (changes.some(({ kind, attempt }) => kind === 'claim' && attempt === 2)) {
      const held = Promise.withResolvers<void>();
      claims.push(held);
      await held.promise;
    }
    return ledger.commit(changes);
  };
  world.work(runRequest, { stores: { ledger: { ...ledger, commit } } });
  const toSecondClaim = async (): Promise<TestUser> => {
    const user = await world.user();
    for (const request of ['a', 'b']) await world.enqueue(user, request);
    (await running(user, 1)).end({ kind: 'retry', error, delayMs: 1 });
    await eventually('the second attempt is about to be claimed', () => claims.length > 0);
    return user;
  };

  const cancelled = await toSecondClaim();
  await cancelRequest(ofFirst(cancelled), world.deps);
  claims.shift()?.resolve();
  (await running(cancelled, 2)).end();
  await world.settled(cancelled, 2);
  expect(of(cancelled).map(({ seq }) => seq)).toEqual([1, 2]);

  const claimed = await toSecondClaim();
  claims.shift()?.resolve();
  const second = await running(claimed, 1);
  await expect(cancelRequest(ofFirst(claimed), world.deps)).rejects.toMatchObject({ code: 'not-cancellable' });
  await expect(skipRequest(ofFirst(claimed), world.deps)).rejects.toMatchObject({ code: 'not-blocked' });
  await expect(retryRequest(ofFirst(claimed), world.deps)).rejects.toMatchObject({ code: 'not-retryable' });
  second.end();
  (await running(claimed, 2)).end();
  await world.settled(claimed, 2);
  expect(await world.entry(claimed, 1)).toMatchObject({ status: 'done', attempts: 2 });
});
