/** One decision about many dead letters. The ledger is real, and no worker runs, so that nothing else happens. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AppError, StoreUnavailableError } from '../../lib/errors.ts';
import type { LedgerStore } from '../../lib/ports.ts';
import { type Decision, dropDeadLetter, retryDeadLetter } from '../../lib/requests/dead-letters.ts';
import { type DecidedAll, type DecisionCursor, decideAll, decideEach } from '../../lib/requests/decide-many.ts';
import { openWorld, type TestUser, type World } from '../support/world.ts';
import { deadLetter, userWithDeadLetter } from './dead-lettered.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ maxPending: 3 });
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Retries are not refused because too many requests are pending. */
const roomy = () => ({ ...world.deps, config: { ...world.deps.config, maxPending: 1_000 } });

/** The counts of a call in which nothing was refused. */
const decidedOf = (decided: number): DecidedAll => ({ decided, refused: 0, refusedBy: {} });

describe('a decision about many dead letters', () => {
  /** A user with more dead letters than fit into one batch. */
  const userWithMany = async (count: number, { at = new Date() } = {}): Promise<TestUser> => {
    const user = await world.user();
    const seqs = Array.from({ length: count }, (_, index) => index + 1);
    const acceptedAt = new Date();
    for (const _seq of seqs) await world.stores.userQueues.takeTicket(user.userId, user.sessionId, acceptedAt);
    await world.stores.userQueues.flushSettled([{ userId: user.userId, settled: count, advanced: true }], acceptedAt);
    await Promise.all(
      seqs.map((seq) => world.stores.ledger.insert({ userId: user.userId, seq, body: '1', acceptedAt })),
    );
    await deadLetter(world, user, 'failed', seqs, { at });
    return user;
  };
  const leftOf = async ({ userId }: TestUser) =>
    (await world.stores.ledger.deadLetters({ userId, limit: 1_000 })).map(({ seq }) => seq);

  test('continues from batch to batch, and returns where it stopped when its time is over', async () => {
    const user = await userWithMany(210);
    let reads = 0;
    const monotonicMs = () => {
      reads += 1;
      return reads * 6_000;
    };
    const slow = { ...world.deps, clock: { ...world.deps.clock, monotonicMs } };
    const seen: number[] = [];
    const see: Decision = {
      inOrder: false,
      decide: async ({ seq }) => {
        seen.push(seq);
        return { result: 'dropped' };
      },
    };
    const first = await decideAll({ userId: user.userId }, see, slow);
    expect(first).toMatchObject({ decided: 100, refused: 0, next: { userId: user.userId } });
    const second = await decideAll({ userId: user.userId, after: first.next }, see, world.deps);
    expect(second).toEqual({ decided: 110, refused: 0, refusedBy: {} });
    expect(seen).toEqual(Array.from({ length: 210 }, (_, index) => index + 1));
  });

  test('includes dead letters of a worker whose clock is ahead', async () => {
    const user = await userWithMany(1, { at: new Date(Date.now() + 60_000) });
    expect(await decideAll({ userId: user.userId }, dropDeadLetter, world.deps)).toEqual(decidedOf(1));
    expect(await leftOf(user)).toEqual([]);
  });

  test('leaves requests that it retried itself when they fail again, also when the call is continued', async () => {
    const user = await userWithMany(2);
    const { userId } = user;
    const failAgain: Decision = {
      inOrder: true,
      async decide(id, deps) {
        const decided = await retryDeadLetter.decide(id, deps);
        await deadLetter(world, user, 'failed', [decided.retriedAs ?? 0]);
        return decided;
      },
    };
    expect(await decideAll({ userId }, failAgain, world.deps)).toEqual(decidedOf(2));
    expect(await leftOf(user)).toEqual([3, 4]);
    const after = { userId, seq: 2, through: 2 };
    expect(await decideAll({ userId, after }, failAgain, world.deps)).toEqual(decidedOf(0));
  });

  test('takes the dead letters of one user in the order of `seq`, whatever the order of the items', async () => {
    const user = await userWithMany(3);
    const items = [3, 1, 2].map((seq) => ({ userId: user.userId, seq }));
    const order: number[] = [];
    const note: Decision = {
      inOrder: true,
      decide: async ({ seq }) => {
        order.push(seq);
        return { result: 'retried' };
      },
    };
    const decided = await decideEach(items, note, world.deps);
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
    expect(await decideAll({ userId: user.userId }, dropDeadLetter, deps)).toEqual(decidedOf(5));
    expect(called).toEqual(['deadLetterIds', ...Array(5).fill('dropDeadLetter')]);
    expect(await leftOf(user)).toEqual([]);
  });

  test('drops blocked requests without reading them', async () => {
    const user = await userWithDeadLetter(world, 'blocked');
    const { called, deps } = recordingLedger();
    expect(await decideAll({ userId: user.userId }, dropDeadLetter, deps)).toEqual(decidedOf(1));
    expect(called).toEqual(['deadLetterIds', 'dropDeadLetter', 'skip', 'dropDeadLetter']);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'failed' });
    expect(await leftOf(user)).toEqual([]);
  });

  test.each(['failed', 'blocked'] as const)('reads a %s request once to retry it', async (kind) => {
    const user = await userWithDeadLetter(world, kind);
    const { called, deps } = recordingLedger();
    expect(await decideAll({ userId: user.userId }, retryDeadLetter, deps)).toEqual(decidedOf(1));
    expect(called.filter((name) => ['read', 'deadLetters'].includes(name))).toEqual(['read']);
  });

  test('stops when a server fails, and decides nothing after its answer', async () => {
    const items = Array.from({ length: 40 }, (_, n) => ({ userId: `user ${n}`, seq: 1 }));
    const others = Promise.withResolvers<void>();
    let [begun, underWay] = [0, 0];
    const decision: Decision = {
      inOrder: false,
      async decide({ userId }) {
        begun += 1;
        if (userId === 'user 3') throw new StoreUnavailableError('gone');
        underWay += 1;
        await others.promise;
        underWay -= 1;
        return { result: 'dropped' };
      },
    };
    const deciding = decideEach(items, decision, world.deps);
    const begunAtFailure = begun;
    setImmediate(others.resolve);
    await expect(deciding).rejects.toThrow('gone');
    expect(underWay).toBe(0);
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    expect(begun).toBe(begunAtFailure);
    expect(begunAtFailure).toBeLessThan(items.length);
  });

  test('fails as a whole when a server fails, because the caller may repeat it', async () => {
    const user = await userWithDeadLetter(world, 'failed');
    const dropDeadLetterFails = () => Promise.reject(new StoreUnavailableError('gone'));
    const broken = { ...world.deps, ledger: { ...world.stores.ledger, dropDeadLetter: dropDeadLetterFails } };
    await expect(decideEach([{ userId: user.userId, seq: 1 }], dropDeadLetter, broken)).rejects.toThrow('gone');
  });

  describe('that depends on the order', () => {
    const full = new AppError('No room.', { code: 'too-many-pending', status: 429 });
    /** Retries all but the request with this `seq`, and records the order. */
    const refusing = (refusedSeq: number) => {
      const retried: number[] = [];
      const decision: Decision = {
        inOrder: true,
        async decide({ seq }) {
          if (seq === refusedSeq) throw full;
          retried.push(seq);
          return { result: 'retried', retriedAs: seq };
        },
      };
      return { retried, decision };
    };

    test('stops for a user at the first refusal; its later ones are refused with the reason', async () => {
      const [one, other] = [await world.user(), await world.user()];
      const items = [3, 1, 2].flatMap((seq) => [one, other].map(({ userId }) => ({ userId, seq })));
      const { decision } = refusing(0);
      const decide: Decision['decide'] = async (id, deps) => {
        if (id.userId === one.userId && id.seq === 2) throw full;
        return decision.decide(id, deps);
      };
      const decided = await decideEach(items, { ...decision, decide }, world.deps);
      const ofUser = ({ userId }: TestUser) => decided.filter((item) => item.userId === userId);
      expect(ofUser(other).map(({ result }) => result)).toEqual(['retried', 'retried', 'retried']);
      expect(ofUser(one)).toMatchObject([
        { seq: 3, result: 'refused', code: 'earlier-refused', detail: expect.stringContaining('request 2') },
        { seq: 1, result: 'retried' },
        { seq: 2, result: 'refused', code: 'too-many-pending' },
      ]);
    });

    test('stops for a user at the first refusal also in the batches behind it, and counts the refusals by reason', async () => {
      const [user, next] = [await userWithMany(130), await userWithMany(1)];
      const { retried, decision } = refusing(60);
      expect(await decideAll({ userId: user.userId }, decision, world.deps)).toEqual({
        decided: 59,
        refused: 71,
        refusedBy: { 'too-many-pending': 1, 'earlier-refused': 70 },
      });
      expect(retried).toEqual(Array.from({ length: 59 }, (_, index) => index + 1));
      expect(await decideAll({ userId: next.userId }, decision, world.deps)).toEqual(decidedOf(1));
    });

    test('stops for a user at the first refusal also when another call goes on from `next`', async () => {
      const user = await userWithMany(130);
      const { retried, decision } = refusing(60);
      let reads = 0;
      const monotonicMs = () => 6_000 * reads++;
      const slow = { ...world.deps, clock: { ...world.deps.clock, monotonicMs } };
      const first = await decideAll({ userId: user.userId }, decision, slow);
      const next: DecisionCursor = { userId: user.userId, seq: 100, through: 130, refused: 60 };
      expect(first).toEqual({
        decided: 59,
        refused: 41,
        refusedBy: { 'too-many-pending': 1, 'earlier-refused': 40 },
        next,
      });
      expect(await decideAll({ userId: user.userId, after: first.next }, decision, world.deps)).toEqual({
        decided: 0,
        refused: 30,
        refusedBy: { 'earlier-refused': 30 },
      });
      expect(retried).toHaveLength(59);
    });

    test('goes by `seq`, whatever the clocks said when the requests were dead-lettered', async () => {
      const user = await userWithMany(0);
      const seqs = Array.from({ length: 120 }, (_, index) => index + 1);
      for (const seq of seqs) await world.stores.ledger.insert({ ...user, seq, body: '1', acceptedAt: new Date() });
      // The first owner's clock was a minute ahead.
      await deadLetter(world, user, 'failed', seqs.slice(0, 60), { at: new Date(Date.now() + 60_000) });
      await deadLetter(world, user, 'failed', seqs.slice(60));
      for (const _seq of seqs) await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
      const { retried, decision } = refusing(0);
      expect(await decideAll({ userId: user.userId }, decision, world.deps)).toEqual(decidedOf(120));
      expect(retried).toEqual(seqs);
    });

    test('goes on behind one that already runs again: a call that failed half-way can be repeated', async () => {
      const user = await userWithMany(5);
      const items = [1, 2, 3, 4, 5].map((seq) => ({ userId: user.userId, seq }));
      const failing: Decision = {
        ...retryDeadLetter,
        async decide(id, deps) {
          if (id.seq === 3) throw new StoreUnavailableError('gone');
          return retryDeadLetter.decide(id, deps);
        },
      };
      await expect(decideEach(items, failing, roomy())).rejects.toThrow('gone');
      const repeated = await decideEach(items, retryDeadLetter, roomy());
      expect(repeated.map(({ result }) => result)).toEqual(['refused', 'refused', 'retried', 'retried', 'retried']);
    });

    test('goes on behind an item that is listed twice', async () => {
      const user = await userWithMany(2);
      const items = [1, 1, 2].map((seq) => ({ userId: user.userId, seq }));
      const decided = await decideEach(items, retryDeadLetter, roomy());
      expect(decided.map(({ result }) => result)).toEqual(['retried', 'refused', 'retried']);
    });

    test('does not apply to a drop: a refusal keeps none of the later ones on the list', async () => {
      const user = await userWithMany(3);
      const id = (seq: number) => ({ userId: user.userId, seq });
      await dropDeadLetter.decide(id(1), world.deps);
      expect(await decideEach([1, 2, 3].map(id), dropDeadLetter, world.deps)).toMatchObject([
        { result: 'refused', code: 'not-a-dead-letter' },
        { result: 'dropped' },
        { result: 'dropped' },
      ]);
    });
  });
});
