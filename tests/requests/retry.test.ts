/** Decisions about dead letters, at moments that an HTTP call cannot choose. The ledger is real. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { LedgerStore } from '../../lib/ports.ts';
import {
  type Decision,
  decideAll,
  decideEach,
  dropDeadLetter,
  retryDeadLetter,
} from '../../lib/requests/dead-letters.ts';
import { retryRequest, skipRequest } from '../../lib/requests/retry.ts';
import type { DeadLetterReason } from '../../lib/types.ts';
import { openWorld, recordPublished, type TestUser, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ maxPending: 3 });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const error = { name: 'Error', message: 'no luck' };

/** Dead-letters requests like an owner. No worker runs here, so that nothing else happens. */
const deadLettered = async (
  user: TestUser,
  kind: 'failed' | 'blocked',
  seqs: number[],
  { at = new Date(), interruptions = 0, reason = 'failed' as DeadLetterReason } = {},
) => {
  const base = seqs.map((seq) => ({ userId: user.userId, seq, token: 1, attempt: 1, at }));
  await world.stores.ledger.commit(base.map((one) => ({ ...one, kind: 'claim', interruptions, forgiven: 0 })));
  await world.stores.ledger.commit(
    base.map((one) =>
      kind === 'failed'
        ? { ...one, kind: 'settle', status: 'failed', error, reason }
        : { ...one, kind: 'block', error, reason },
    ),
  );
};

const userWith = async (kind: 'failed' | 'blocked'): Promise<TestUser> => {
  const user = await world.user();
  await world.enqueue(user, 'a');
  await deadLettered(user, kind, [1]);
  return user;
};

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
    const user = await userWith('failed');
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
    await deadLettered(user, 'failed', [1], { interruptions: 2, reason: 'crashed' });
    await deadLettered(user, 'failed', [2], { interruptions: 1, reason: 'failed' });
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
    const user = await userWith('failed');
    const dropDeadLetter = () => Promise.reject(new StoreUnavailableError('died here'));
    await expect(retry(user, { dropDeadLetter })).rejects.toThrow('died here');
    await world.disconnect(user);
    await expect(retry(user)).rejects.toMatchObject({ code: 'session-ended' });
    const [decided] = await decideEach([{ userId: user.userId, seq: 1 }], retryDeadLetter, world.deps);
    expect(decided).toMatchObject({ result: 'retried', retriedAs: 2 });
    expect(await retriesOf(user)).toEqual([2]);
  });

  test('that cannot be accepted leaves the dead letter unchanged', async () => {
    const user = await userWith('failed');
    for (const request of ['b', 'c', 'd']) await world.enqueue(user, request);
    await expect(retry(user)).rejects.toMatchObject({ code: 'too-many-pending', status: 429 });
    expect((await world.entry(user, 1))?.deadLetter).toBeDefined();
    expect(await retriesOf(user)).toEqual([]);
  });

  test('of a blocked request loses against a skip that comes between its read and its decision', async () => {
    const user = await userWith('blocked');
    const skip = () => skipRequest({ userId: user.userId, seq: 1 }, world.deps);
    await expect(retry(user, readThen(skip))).rejects.toMatchObject({ code: 'not-retryable', status: 409 });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'failed', deadLetter: { reason: 'failed' } });
    expect(await retriesOf(user)).toEqual([]);
  });

  test('that wins makes a skip fail, and another retry that read the entry before', async () => {
    const user = await userWith('blocked');
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
    const user = await userWith('blocked');
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
    const user = await userWith('failed');
    const drop = () => world.stores.ledger.dropDeadLetter({ userId: user.userId, seq: 1 });
    await expect(retry(user, readThen(drop))).rejects.toMatchObject({
      code: 'not-retryable',
      message: expect.stringContaining('runs again as request 2'),
    });
  });
});

describe('a decision about many dead letters', () => {
  /** A user with more dead letters than fit into one batch. */
  const userWithMany = async (count: number): Promise<TestUser> => {
    const user = await world.user();
    const seqs = Array.from({ length: count }, (_, index) => index + 1);
    const acceptedAt = new Date();
    await Promise.all(
      seqs.map((seq) => world.stores.ledger.insert({ userId: user.userId, seq, body: '1', acceptedAt })),
    );
    await deadLettered(user, 'failed', seqs);
    return user;
  };
  const leftOf = async ({ userId }: TestUser) =>
    (await world.stores.ledger.deadLetters({ userId, limit: 1_000 })).map(({ seq }) => seq);

  test('continues from batch to batch, and returns where it stopped when its time is over', async () => {
    const user = await userWithMany(210);
    let reads = 0;
    const now = () => {
      reads += 1;
      return new Date(Date.now() + reads * 6_000);
    };
    const slow = { ...world.deps, clock: { ...world.deps.clock, now } };
    const seen: number[] = [];
    const see: Decision = async ({ seq }) => {
      seen.push(seq);
      return { result: 'dropped' };
    };
    const first = await decideAll({ userId: user.userId }, see, slow);
    expect(first).toMatchObject({ decided: 100, refused: 0, next: { userId: user.userId } });
    const second = await decideAll({ userId: user.userId, after: first.next }, see, world.deps);
    expect(second).toEqual({ decided: 110, refused: 0 });
    expect(new Set(seen).size).toBe(210);
  });

  test('leaves requests that are dead-lettered after it began', async () => {
    const user = await world.user();
    await world.enqueue(user, 'a');
    await deadLettered(user, 'failed', [1], { at: new Date(Date.now() + 60_000) });
    expect(await decideAll({ userId: user.userId }, dropDeadLetter, world.deps)).toEqual({ decided: 0, refused: 0 });
    expect(await leftOf(user)).toEqual([1]);
  });

  test('counts refusals, and continues behind them', async () => {
    const user = await userWith('failed');
    for (const request of ['b', 'c', 'd']) await world.enqueue(user, request);
    expect(await decideAll({ userId: user.userId }, retryDeadLetter, world.deps)).toEqual({ decided: 0, refused: 1 });
  });

  test('takes the dead letters of one user in the order of `seq`, whatever the order of the items', async () => {
    const user = await userWithMany(3);
    const items = [3, 1, 2].map((seq) => ({ userId: user.userId, seq }));
    const order: number[] = [];
    const decided = await decideEach(
      items,
      async ({ seq }) => {
        order.push(seq);
        return { result: 'retried' };
      },
      world.deps,
    );
    expect(order).toEqual([1, 2, 3]);
    expect(decided.map(({ seq }) => seq)).toEqual([3, 1, 2]);
  });

  /** The ledger, and the names of the methods that were called, in order. */
  const recordingLedger = () => {
    const called: string[] = [];
    const ledger = new Proxy(world.stores.ledger, {
      get: (stores, name: keyof LedgerStore) => {
        called.push(name);
        return stores[name];
      },
    });
    return { called, deps: { ...world.deps, ledger } };
  };

  test('drops failed requests without reading them', async () => {
    const user = await userWithMany(5);
    const { called, deps } = recordingLedger();
    expect(await decideAll({ userId: user.userId }, dropDeadLetter, deps)).toEqual({ decided: 5, refused: 0 });
    expect(called).toEqual(['deadLetterIds', ...Array(5).fill('dropDeadLetter')]);
    expect(await leftOf(user)).toEqual([]);
  });

  test('drops blocked requests without reading more than their status', async () => {
    const user = await userWith('blocked');
    const { called, deps } = recordingLedger();
    expect(await decideAll({ userId: user.userId }, dropDeadLetter, deps)).toEqual({ decided: 1, refused: 0 });
    expect(called).toEqual(['deadLetterIds', 'dropDeadLetter', 'status', 'skip', 'dropDeadLetter']);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'failed' });
    expect(await leftOf(user)).toEqual([]);
  });

  test.each(['failed', 'blocked'] as const)('reads a %s request once to retry it', async (kind) => {
    const user = await userWith(kind);
    const { called, deps } = recordingLedger();
    expect(await decideAll({ userId: user.userId }, retryDeadLetter, deps)).toEqual({ decided: 1, refused: 0 });
    expect(called.filter((name) => ['read', 'deadLetters'].includes(name))).toEqual(['read']);
  });

  test('stops when a server fails, and decides nothing after its answer', async () => {
    const items = Array.from({ length: 40 }, (_, n) => ({ userId: `user ${n}`, seq: 1 }));
    const others = Promise.withResolvers<void>();
    let [begun, underWay] = [0, 0];
    const decide: Decision = async ({ userId }) => {
      begun += 1;
      if (userId === 'user 3') throw new StoreUnavailableError('gone');
      underWay += 1;
      await others.promise;
      underWay -= 1;
      return { result: 'dropped' };
    };
    const deciding = decideEach(items, decide, world.deps);
    const begunAtFailure = begun;
    setImmediate(others.resolve);
    await expect(deciding).rejects.toThrow('gone');
    expect(underWay).toBe(0);
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    expect(begun).toBe(begunAtFailure);
    expect(begunAtFailure).toBeLessThan(items.length);
  });

  test('fails as a whole when a server fails, because the caller may repeat it', async () => {
    const user = await userWith('failed');
    const dropDeadLetterFails = () => Promise.reject(new StoreUnavailableError('gone'));
    const broken = { ...world.deps, ledger: { ...world.stores.ledger, dropDeadLetter: dropDeadLetterFails } };
    await expect(decideEach([{ userId: user.userId, seq: 1 }], dropDeadLetter, broken)).rejects.toThrow('gone');
  });
});
