/** Decisions about dead letters, at moments that an HTTP call cannot choose. The ledger is real. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { LedgerStore } from '../../lib/ports.ts';
import { retryDeadLetter } from '../../lib/requests/dead-letters.ts';
import { decideEach } from '../../lib/requests/decide-many.ts';
import { retryRequest, skipRequest } from '../../lib/requests/retry.ts';
import { openWorld, recordPublished, type TestUser, type World } from '../support/world.ts';
import { deadLetter, error, userWithDeadLetter } from './dead-lettered.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ maxPending: 3 });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const retry = ({ userId, sessionId }: TestUser, ledger: Partial<LedgerStore> = {}) =>
  retryRequest({ userId, sessionId, seq: 1 }, { ...world.deps, ledger: { ...world.stores.ledger, ...ledger } });

const retriesOf = async ({ userId }: TestUser) => {
  const entries = await world.stores.ledger.page(userId, { after: 0, limit: 100 });
  return entries.filter(({ retryOf }) => retryOf !== undefined).map(({ seq }) => seq);
};

/** Reads the ledger, then awaits `then` before the caller goes on. */
const readThen = (then: () => Promise<unknown>): Pick<LedgerStore, 'read'> => ({
  async read(ids) {
    const entries = await world.stores.ledger.read(ids);
    await then();
    return entries;
  },
});

describe('a retry', () => {
  test('that dies between accepting and dropping the dead letter is completed by the next retry, which accepts nothing twice', async () => {
    const user = await userWithDeadLetter(world, 'failed');
    const dropDeadLetter = () => Promise.reject(new StoreUnavailableError('died here'));
    await expect(retry(user, { dropDeadLetter })).rejects.toThrow('died here');
    expect((await world.entry(user, 1))?.deadLetter).toBeDefined();
    expect(await retriesOf(user)).toEqual([2]);
    expect(await retry(user)).toMatchObject({ kind: 'again', accepted: { seq: 2, status: 'queued' } });
    expect(await retriesOf(user)).toEqual([2]);
    expect(await world.entry(user, 1)).not.toHaveProperty('deadLetter');
  });

  test('of a request that crashed keeps its interruptions, in the ledger and in its message', async () => {
    const user = await world.user();
    const { published, publisher } = recordPublished(world);
    for (const seq of [1, 2]) await world.enqueue(user, seq);
    await deadLetter(world, user, 'failed', [1], { interruptions: 2, reason: 'crashed' });
    await deadLetter(world, user, 'failed', [2], { interruptions: 1, reason: 'failed' });
    for (const seq of [1, 2]) await retryRequest({ ...user, seq }, { ...world.deps, publisher });
    expect(await world.entry(user, 3)).toMatchObject({ retryOf: 1, interruptions: 2 });
    // A request that failed by itself starts without interruptions, whatever interrupted it before.
    expect(await world.entry(user, 4)).not.toHaveProperty('interruptions');
    expect(published.map(({ seq, interruptions }) => [seq, interruptions])).toEqual([
      [3, 2],
      [4, undefined],
    ]);
  });

  test('by an operator completes it too, although the user has logged out', async () => {
    const user = await userWithDeadLetter(world, 'failed');
    const dropDeadLetter = () => Promise.reject(new StoreUnavailableError('died here'));
    await expect(retry(user, { dropDeadLetter })).rejects.toThrow('died here');
    await world.disconnect(user);
    await expect(retry(user)).rejects.toMatchObject({ code: 'session-ended' });
    const [decided] = await decideEach([{ userId: user.userId, seq: 1 }], retryDeadLetter, world.deps);
    expect(decided).toMatchObject({ result: 'retried', retriedAs: 2 });
    expect(await retriesOf(user)).toEqual([2]);
  });

  test('that cannot be accepted leaves the dead letter unchanged', async () => {
    const user = await userWithDeadLetter(world, 'failed');
    for (const request of ['b', 'c', 'd']) await world.enqueue(user, request);
    await expect(retry(user)).rejects.toMatchObject({ code: 'too-many-pending', status: 429 });
    expect((await world.entry(user, 1))?.deadLetter).toBeDefined();
    expect(await retriesOf(user)).toEqual([]);
  });

  test('of a blocked request loses against a skip that comes between its read and its decision', async () => {
    const user = await userWithDeadLetter(world, 'blocked');
    const skip = () => skipRequest({ userId: user.userId, seq: 1 }, world.deps);
    await expect(retry(user, readThen(skip))).rejects.toMatchObject({ code: 'not-retryable', status: 409 });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'failed', deadLetter: { reason: 'failed' } });
    expect(await retriesOf(user)).toEqual([]);
  });

  test('that wins makes a skip fail, and another retry that read the entry before', async () => {
    const user = await userWithDeadLetter(world, 'blocked');
    await expect(
      retry(
        user,
        readThen(() => retry(user)),
      ),
    ).rejects.toMatchObject({ code: 'not-retryable' });
    await expect(skipRequest({ userId: user.userId, seq: 1 }, world.deps)).rejects.toMatchObject({
      code: 'not-blocked',
    });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'queued', forgiven: 1 });
  });

  test('of a blocked request is refused when the request has run and blocked again since the read', async () => {
    const user = await userWithDeadLetter(world, 'blocked');
    const again = async () => {
      await retry(user);
      const base = { userId: user.userId, seq: 1, token: 1, attempt: 2, at: new Date() };
      await world.stores.ledger.commit([{ ...base, kind: 'claim', interruptions: 0, forgiven: 0 }]);
      await world.stores.ledger.commit([{ ...base, kind: 'block', error, reason: 'failed' }]);
    };
    await expect(retry(user, readThen(again))).rejects.toMatchObject({ code: 'not-retryable' });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'blocked', attempts: 2 });
  });

  test('of a failed request that is dropped meanwhile is refused with what happened to it', async () => {
    const user = await userWithDeadLetter(world, 'failed');
    const drop = () => world.stores.ledger.dropDeadLetter({ userId: user.userId, seq: 1 });
    await expect(retry(user, readThen(drop))).rejects.toMatchObject({
      code: 'not-retryable',
      message: expect.stringContaining('runs again as request 2'),
    });
  });
});
