import { describe, expect, test } from '@jest/globals';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { LedgerStore, UserQueueStore } from '../../lib/ports.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import { retryRequest } from '../../lib/requests/retry.ts';
import type { RunLimits } from '../../lib/types.ts';
import { done, quickRuns } from '../lanes/runs.ts';
import { eventually, openWorld, recordPublished, type TestUser, type World } from '../support/world.ts';

const statuses = async (world: World, user: TestUser, upTo: number) =>
  Promise.all(Array.from({ length: upTo }, async (_, index) => (await world.entry(user, index + 1))?.status));

/** Settles requests like an owner that has not flushed yet. */
const settle = async ({ stores }: World, { userId }: TestUser, ...seqs: number[]) => {
  const base = seqs.map((seq) => ({ userId, seq, token: 1, attempt: 1, at: new Date() }));
  await stores.ledger.commit(base.map((one) => ({ ...one, kind: 'claim', interruptions: 0, forgiven: 0 })));
  await stores.ledger.commit(base.map((one) => ({ ...one, kind: 'settle', status: 'done', result: 'null' })));
};

/** A refused call may have counted a moment ago. */
const enqueueWhenCounted = (world: World, user: TestUser) =>
  eventually('there is room', () => world.enqueue(user, 'next').catch(() => undefined));

describe('accepting', () => {
  test('each request gets the next `seq` and its position among the pending requests', async () => {
    await using world = await openWorld();
    const user = await world.user();
    expect(await world.enqueue(user, 'a')).toEqual({ seq: 1, status: 'queued', position: 1 });
    expect(await world.enqueue(user, 'b')).toEqual({ seq: 2, status: 'queued', position: 2 });
    expect(await world.entry(user, 2)).toMatchObject({ body: '"b"', status: 'queued', attempts: 0 });
  });

  test('the ledger and the message have the same time of acceptance', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'opens the queue');
    let now = Date.UTC(2030, 0, 1);
    const clock = { ...world.deps.clock, now: () => new Date(now++) };
    const { published, publisher } = recordPublished(world);
    const deps = { ...world.deps, clock, publisher };
    // The session expires before 2030, so accept as for an operator, who needs none.
    await acceptRequest({ userId: user.userId, sessionId: undefined, body: '1' }, deps);
    const entry = await world.entry(user, 2);
    expect(published).toMatchObject([{ seq: 2, acceptedAt: entry?.acceptedAt.getTime() }]);
  });

  test('a session that has ended is refused, with and without a known key, and takes no ticket', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'a', 'key');
    await world.disconnect(user);
    await expect(world.enqueue(user, 'b')).rejects.toMatchObject({ code: 'session-ended', status: 401 });
    await expect(world.enqueue(user, 'a', 'key')).rejects.toMatchObject({ code: 'session-ended', status: 401 });
    expect(await world.queue(user)).toMatchObject({ accepted: 1 });
  });

  test('an expired session is refused', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const late = { ...world.deps, clock: { ...world.deps.clock, now: () => new Date(Date.now() + 3_600_001) } };
    const command = { userId: user.userId, sessionId: user.sessionId, body: '1' };
    await expect(acceptRequest(command, late)).rejects.toMatchObject({ code: 'session-ended' });
  });

  test('the same Idempotency-Key is one request, also when many calls use it concurrently', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const answers = await Promise.all(Array.from({ length: 8 }, () => world.enqueue(user, { a: 1 }, 'same')));
    const [seq, ...others] = [...new Set(answers.map((answer) => answer.seq))];
    expect(others).toEqual([]);
    const { accepted } = (await world.queue(user)) ?? { accepted: 0 };
    const all = await statuses(world, user, accepted);
    expect(all.filter((status) => status === 'queued')).toHaveLength(1);
    expect(all.filter((status) => status === 'abandoned')).toHaveLength(accepted - 1);
    expect(all[(seq ?? 0) - 1]).toBe('queued');
  });

  test('the same Idempotency-Key with another body is refused with 422', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, { a: 1 }, 'key');
    await expect(world.enqueue(user, { a: 2 }, 'key')).rejects.toMatchObject({
      code: 'idempotency-key-reused',
      status: 422,
    });
  });

  test('the same Idempotency-Key with equal JSON is one request, but not with another number, however large', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const accept = (body: string, limits?: RunLimits) =>
      acceptRequest({ ...user, body, key: 'key', limits }, world.deps);
    await accept('{"a":9007199254740993,"b":1e400}', { timeoutMs: 1_000 });
    expect(await accept('{ "b":10e399, "a":9007199254740993.0 }', { timeoutMs: 1_000 })).toMatchObject({ seq: 1 });
    for (const body of ['{"a":9007199254740992,"b":1e400}', '{"a":9007199254740993,"b":1e401}']) {
      await expect(accept(body, { timeoutMs: 1_000 })).rejects.toMatchObject({ status: 422 });
    }
  });

  test('the same Idempotency-Key with other limits is refused with 422, which names them', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const accept = (limits?: RunLimits) => acceptRequest({ ...user, body: '1', key: 'key', limits }, world.deps);
    await accept({ timeoutMs: 1_000, maxAttempts: 2 });
    for (const limits of [undefined, { timeoutMs: 1_000 }, { timeoutMs: 999, maxAttempts: 2 }] satisfies unknown[]) {
      await expect(accept(limits as RunLimits)).rejects.toMatchObject({ code: 'idempotency-key-reused', status: 422 });
    }
    await expect(accept({ maxAttempts: 3, onInterruption: 'rerun' })).rejects.toThrow(
      'maxAttempts 2, timeoutMs 1000, onInterruption not set there, maxAttempts 3, timeoutMs not set, onInterruption rerun here',
    );
  });

  test('a repeat of a request that failed or was cancelled says how to run it again, or that it does', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const { userId } = user;
    const one = { userId, token: 1, attempt: 1, at: new Date() };
    const error = { name: 'Error', message: 'no' };
    for (const [index, key] of ['done', 'failed', 'blocked', 'cancelled', 'dropped'].entries()) {
      await world.enqueue(user, key, key);
      await world.stores.ledger.commit([{ ...one, seq: index + 1, kind: 'claim', interruptions: 0, forgiven: 0 }]);
    }
    const failure = { status: 'failed', error, reason: 'failed' } as const;
    await world.stores.ledger.commit([
      { ...one, seq: 1, kind: 'settle', status: 'done', result: '1' },
      { ...one, seq: 2, kind: 'settle', ...failure },
      { ...one, seq: 3, kind: 'block', error, reason: 'failed' },
      { ...one, seq: 4, kind: 'retry', error, retryAt: new Date(), backOffMs: 1, interruptions: 0 },
      { ...one, seq: 5, kind: 'settle', ...failure },
    ]);
    await world.stores.ledger.cancel({ userId, seq: 4 }, new Date());
    await world.stores.ledger.dropDeadLetter({ userId, seq: 5 });
    const repeat = (key: string) => world.enqueue(user, key, key);
    expect(await repeat('done')).toEqual({ seq: 1, status: 'done', position: 0 });
    expect(await repeat('failed')).toMatchObject({ status: 'failed', retry: 'POST /requests/2/retry' });
    expect(await repeat('blocked')).toMatchObject({ status: 'blocked', retry: 'POST /requests/3/retry' });
    for (const key of ['cancelled', 'dropped']) {
      expect(await repeat(key)).toMatchObject({ retry: 'POST /enqueue with a new Idempotency-Key' });
    }
    await retryRequest({ ...user, seq: 2 }, world.deps);
    expect(await repeat('failed')).toEqual({ seq: 2, status: 'failed', position: 0, retriedAs: 6 });
  });

  test('the same key of two users is two requests', async () => {
    await using world = await openWorld();
    const [anna, bert] = [await world.user(), await world.user()];
    expect((await world.enqueue(anna, 1, 'key')).seq).toBe(1);
    expect((await world.enqueue(bert, 2, 'key')).seq).toBe(1);
  });

  test('over MAX_PENDING a request is refused with 429, and takes no ticket', async () => {
    await using world = await openWorld({ maxPending: 2 });
    const user = await world.user();
    await world.enqueue(user, 'a');
    await world.enqueue(user, 'b');
    await expect(world.enqueue(user, 'c')).rejects.toMatchObject({
      status: 429,
      code: 'too-many-pending',
      retryAfterSeconds: 1,
    });
    expect(await statuses(world, user, 3)).toEqual(['queued', 'queued', undefined]);
    expect(await world.queue(user)).toMatchObject({ accepted: 2 });
  });

  test('a user that was refused many times has room for as many requests as were settled, flushed or not', async () => {
    await using world = await openWorld({ maxPending: 5 });
    const user = await world.user();
    for (let n = 1; n <= 5; n += 1) await world.enqueue(user, n);
    for (let n = 1; n <= 20; n += 1) await expect(world.enqueue(user, n)).rejects.toMatchObject({ status: 429 });
    await settle(world, user, 1, 2, 3, 4);
    for (const seq of [6, 7, 8, 9]) expect(await enqueueWhenCounted(world, user)).toMatchObject({ seq });
    const refused = world.enqueue(user, 'one too many');
    await expect(refused).rejects.toThrow('5 requests are pending; the limit is 5 (MAX_PENDING).');
  });

  test('requests that were cancelled behind a pending request make room', async () => {
    await using world = await openWorld({ maxPending: 3 });
    const user = await world.user();
    for (const n of [1, 2, 3]) await world.enqueue(user, n);
    for (const seq of [2, 3]) await world.stores.ledger.cancel({ userId: user.userId, seq }, new Date());
    expect(await world.enqueue(user, 4)).toMatchObject({ seq: 4 });
    expect(await world.enqueue(user, 5)).toMatchObject({ seq: 5 });
    await expect(world.enqueue(user, 6)).rejects.toMatchObject({ code: 'too-many-pending' });
  });

  test('however many calls are concurrent, never more than MAX_PENDING requests are pending', async () => {
    await using world = await openWorld({ maxPending: 3 });
    const user = await world.user();
    const flood = () => Promise.allSettled(Array.from({ length: 30 }, (_, n) => world.enqueue(user, n)));
    const acceptedOf = (all: PromiseSettledResult<unknown>[]) =>
      all.filter(({ status }) => status === 'fulfilled').length;
    expect(acceptedOf(await flood())).toBe(3);
    await settle(world, user, 1, 2);
    let accepted = 0;
    await eventually('there is room for two more', async () => {
      accepted += acceptedOf(await flood());
      return accepted >= 2;
    });
    expect(acceptedOf(await flood())).toBe(0);
    expect(await world.queue(user)).toMatchObject({ accepted: 5, settled: 0 });
  });

  test('of a flood of refused calls few count what is settled', async () => {
    await using world = await openWorld({ maxPending: 2 });
    const user = await world.user();
    for (const n of [1, 2]) await world.enqueue(user, n);
    let counts = 0;
    const ledger: LedgerStore = {
      ...world.stores.ledger,
      sumSettled: async (...range) => {
        counts += 1;
        // It takes as long as on a large backlog: the next count is due a second after it.
        await new Promise((resolve) => setTimeout(resolve, 50));
        return world.stores.ledger.sumSettled(...range);
      },
    };
    const refused = () => acceptRequest({ ...user, body: '3' }, { ...world.deps, ledger });
    const startedAt = performance.now();
    for (let round = 0; round < 20; round += 1) {
      for (const one of await Promise.allSettled(Array.from({ length: 5 }, refused))) {
        expect(one).toMatchObject({ status: 'rejected', reason: { code: 'too-many-pending' } });
      }
    }
    expect(counts).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 1_000);
  });

  test('a count that takes too long does not change the refusal, and is not tried again at once', async () => {
    await using world = await openWorld({ maxPending: 1 });
    const user = await world.user();
    await world.enqueue(user, 1);
    let counts = 0;
    const sumSettled = async () => {
      counts += 1;
      throw new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
    };
    const deps = { ...world.deps, ledger: { ...world.stores.ledger, sumSettled } };
    const startedAt = Date.now();
    for (const body of ['2', '3']) {
      await expect(acceptRequest({ ...user, body }, deps)).rejects.toMatchObject({ code: 'too-many-pending' });
    }
    expect(counts).toBe(1);
    expect((await world.queue(user))?.countAgainAt).toBeGreaterThan(startedAt + 5_000);
  });

  test('over MAX_PENDING_BYTES a request is refused with the numbers, until its owner has settled earlier ones', async () => {
    await using world = await openWorld({ maxPendingBytes: 3_000 });
    const user = await world.user();
    const large = 'x'.repeat(998);
    for (const n of [1, 2, 3]) expect(await world.enqueue(user, large)).toMatchObject({ seq: n });
    await expect(world.enqueue(user, 1)).rejects.toThrow(
      '3 requests with 3000 bytes are pending, and this one has 1 bytes; the limit is 3000 bytes (MAX_PENDING_BYTES).',
    );
    world.work(quickRuns(() => done).runRequest);
    await world.settled(user, 3);
    await eventually('the owner has flushed it', async () => (await world.queue(user))?.settledBytes === 3_000);
    for (const n of [4, 5, 6]) expect(await world.enqueue(user, large)).toMatchObject({ seq: n });
  });

  test('the rate of a user does not apply to what an operator retries', async () => {
    await using world = await openWorld({ enqueueRate: 1 });
    const user = await world.user();
    await world.enqueue(user, 1);
    await expect(world.enqueue(user, 2)).rejects.toMatchObject({ code: 'enqueue-rate-exceeded', retryAfterSeconds: 1 });
    const retried = { userId: user.userId, sessionId: undefined, body: '2' };
    for (const seq of [2, 3]) expect(await acceptRequest(retried, world.deps)).toMatchObject({ seq });
  });

  test('bytes of cancelled requests behind a pending one make room, and those of tombstones', async () => {
    await using world = await openWorld({ maxPendingBytes: 300 });
    const user = await world.user();
    const body = 'x'.repeat(98);
    for (const _ of [1, 2, 3]) await world.enqueue(user, body);
    await world.stores.ledger.cancel({ userId: user.userId, seq: 2 }, new Date());
    expect(await enqueueWhenCounted(world, user)).toMatchObject({ seq: 4 });
    await expect(world.enqueue(user, body)).rejects.toMatchObject({ code: 'too-many-pending', status: 429 });
    await settle(world, user, 1, 3);
    const failing = {
      ...world.deps,
      ledger: { ...world.stores.ledger, insert: () => Promise.reject(new Error('gone')) },
    };
    await eventually('there is room again', async () => {
      const error = await acceptRequest({ ...user, body }, failing).catch(({ message }) => message);
      return error === 'gone';
    });
    world.work(quickRuns(() => done).runRequest, { config: { gapTimeoutMs: 50 } });
    await world.settled(user, 5);
    await eventually('the owner has flushed it', async () => (await world.queue(user))?.settled === 5);
    for (const seq of [6, 7, 8]) expect(await world.enqueue(user, body)).toMatchObject({ seq });
  });

  test('a session that has ended is refused as ended, also when too many requests are pending', async () => {
    await using world = await openWorld({ maxPending: 1 });
    const user = await world.user();
    await world.enqueue(user, 'a');
    await world.disconnect(user);
    await expect(world.enqueue(user, 'b')).rejects.toMatchObject({ code: 'session-ended' });
  });

  test('a ticket that became a tombstone is replaced by a new one', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.stores.ledger.insertTombstone({ userId: user.userId, seq: 1 }, new Date());
    expect(await world.enqueue(user, 'a')).toMatchObject({ seq: 2 });
  });

  test('a request is accepted without the broker, too', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const publisher = createPublisher({ ...world.config, rabbitmqUrl: 'amqp://127.0.0.1:1' }, world.deps.log);
    const command = { userId: user.userId, sessionId: user.sessionId, body: '1' };
    expect(await acceptRequest(command, { ...world.deps, publisher })).toMatchObject({ seq: 1, status: 'queued' });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'queued' });
  });
});

describe('disconnecting', () => {
  test('closes a user without requests immediately, and repeating it is harmless', async () => {
    await using world = await openWorld();
    const user = await world.user();
    expect(await world.disconnect(user)).toBe('closed');
    expect(await world.disconnect(user)).toBe('closed');
  });

  test('with pending=cancel leaves alone the requests that another session enqueues after it', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'old');
    const loginAndEnqueue = async () => world.enqueue(await world.login(user), 'new');
    const userQueues: UserQueueStore = {
      ...world.stores.userQueues,
      async removeSession(...session) {
        const left = await world.stores.userQueues.removeSession(...session);
        expect(await loginAndEnqueue()).toMatchObject({ seq: 2 });
        return left;
      },
    };
    await disconnect({ ...user, pending: 'cancel' }, { ...world.deps, userQueues });
    expect(await statuses(world, user, 2)).toEqual(['cancelled', 'queued']);
  });

  test('with a session that has ended changes nothing', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const other = await world.login(user);
    await world.enqueue(user, 'a');
    await world.disconnect(other);
    await world.disconnect(user);
    for (const ended of [user, other]) {
      expect(await world.disconnect(ended, { pending: 'cancel' })).toBe('draining');
    }
    expect(await statuses(world, user, 1)).toEqual(['queued']);
  });

  test('with pending=cancel cancels also what is accepted before the session has ended', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'early');
    const userQueues: UserQueueStore = {
      ...world.stores.userQueues,
      async removeSession(...session) {
        expect(await world.enqueue(user, 'late')).toMatchObject({ seq: 2 });
        return world.stores.userQueues.removeSession(...session);
      },
    };
    await disconnect({ ...user, pending: 'cancel' }, { ...world.deps, userQueues });
    expect(await statuses(world, user, 2)).toEqual(['cancelled', 'cancelled']);
  });

  test('with pending=cancel can be repeated when the session could not be ended', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'a');
    const removeSession = () => Promise.reject(new StoreUnavailableError('gone'));
    const broken = { ...world.deps, userQueues: { ...world.stores.userQueues, removeSession } };
    await expect(disconnect({ ...user, pending: 'cancel' }, broken)).rejects.toThrow('gone');
    await world.enqueue(user, 'b');
    await world.disconnect(user, { pending: 'cancel' });
    expect(await statuses(world, user, 2)).toEqual(['cancelled', 'cancelled']);
  });

  test('answers draining while the lane has no owner, and loses nothing', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'a');
    expect(await world.disconnect(user, { waitMs: 100 })).toBe('draining');
    expect(await world.entry(user, 1)).toMatchObject({ status: 'queued' });
  });
});
