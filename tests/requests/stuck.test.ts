import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { lastProgress } from '../../lib/lanes/stuck-users.ts';
import { findStuck, type StuckReason, stuckReason } from '../../lib/requests/stuck.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import type { LedgerEntry } from '../../lib/types.ts';
import { eventually, openWorld } from '../support/world.ts';

const now = new Date('2026-11-25T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const lane = 7;

const queued = { status: 'queued' } as const;
const running = { status: 'processing' } as const;
const blocked = { status: 'blocked' } as const;
const owner = (ageMs: number) => ({ lanes: [1, lane], unresponsive: [] as string[], at: ago(ageMs) });
const other = (ageMs: number) => ({ lanes: [2], unresponsive: [] as string[], at: ago(ageMs) });
const ignored = (ageMs: number, userId = 'u') => ({ ...owner(ageMs), unresponsive: ['x', userId] });

describe('the reason why a user is stuck', () => {
  test.each<[string, StuckReason, Pick<LedgerEntry, 'status' | 'retryAt'> | undefined, ReturnType<typeof owner>[]]>([
    ['its oldest request is blocked', 'blocked', blocked, [owner(100)]],
    ['its oldest request is blocked, with or without live workers', 'blocked', blocked, []],
    ['no worker has ever sent a heartbeat', 'no-worker', queued, []],
    ['every worker has been silent for more than three heartbeats', 'no-worker', running, [other(3_001), other(9_000)]],
    ['every worker is silent, its owner for too long to matter', 'no-worker', running, [other(3_001), owner(60_000)]],
    ['every worker is silent, its owner among them', 'worker-hung', running, [owner(3_001), other(9_000)]],
    ['its owner is silent since before the clock was set back', 'no-worker', running, [owner(-60_000)]],
    ['no live worker owns its lane', 'lane-without-owner', queued, [other(100)]],
    ['its lane had an owner too long ago to matter', 'lane-without-owner', queued, [other(100), owner(60_000)]],
    ['its owner is silent while other workers are live', 'worker-hung', running, [owner(3_001), other(100)]],
    ['its owner is silent, up to a minute', 'worker-hung', queued, [owner(59_999), other(100)]],
    ['its oldest request is running, and its owner late but not silent', 'long-run', running, [owner(3_000)]],
    ['its lane has a new owner besides a silent one', 'long-run', running, [owner(20_000), owner(100)]],
    ['its run goes on against its signal', 'unresponsive-run', running, [ignored(100)]],
    ['another run goes on against its signal', 'long-run', running, [ignored(100, 'y')]],
    ['its worker died with a run that went on against its signal', 'worker-hung', running, [ignored(3_001), other(1)]],
    ['its oldest request waits for its next attempt', 'waiting', { ...running, retryAt: now }, [owner(100)]],
    ['its oldest request waits for a slot', 'waiting', queued, [owner(100)]],
    ['its oldest request is not in the ledger', 'waiting', undefined, [owner(100)]],
  ])('%s: %s', (_what, reason, head, heartbeats) => {
    expect(stuckReason({ userId: 'u', lane }, head, heartbeats, now)).toBe(reason);
  });
});

describe('the newest progress of a user', () => {
  const acceptedAt = ago(8_000);
  test.each([
    ['a request was settled', { updatedAt: ago(5_000) }, { acceptedAt }, 5_000],
    ['its oldest request was accepted after a long pause', { updatedAt: ago(90_000) }, { acceptedAt }, 8_000],
    ['its oldest request was started', { updatedAt: ago(90_000) }, { acceptedAt, startedAt: ago(3_000) }, 3_000],
    [
      'its oldest request was dead-lettered',
      { updatedAt: ago(90_000) },
      { acceptedAt, startedAt: ago(3_000), deadLetter: { reason: 'failed', at: ago(1_000) } as const },
      1_000,
    ],
    ['the ledger has no entry', { updatedAt: ago(4_000) }, undefined, 4_000],
    ['the clock was not set back since', { updatedAt: ago(-60_000) }, { acceptedAt }, 8_000],
  ])('is when %s', (_what, queue, head, expected) => {
    expect(lastProgress(queue, head, now)).toEqual(ago(expected));
  });
});

test('a blocked user is found behind any number of users that have just come back after a pause', async () => {
  const { userQueues, ledger, workers, accounts } = createMemoryStores();
  const enqueue = async (userId: string, acceptedAt: Date) => {
    await userQueues.create(userId, lane, ago(60_000));
    await userQueues.takeTicket(userId, undefined, acceptedAt);
    await ledger.insert({ userId, seq: 1, body: '1', acceptedAt });
  };
  for (let n = 0; n < 2_050; n += 1) await enqueue(`returning ${n}`, ago(100));
  await enqueue('blocked', ago(31_000));
  const base = { userId: 'blocked', seq: 1, token: 1, attempt: 1, at: ago(30_000) };
  await ledger.commit([{ ...base, kind: 'claim', interruptions: 0, forgiven: 0 }]);
  await ledger.commit([{ ...base, kind: 'block', error: { name: 'Error', message: 'no' }, reason: 'failed' }]);
  await userQueues.flushSettled([{ userId: 'blocked', settled: 0, advanced: true }], ago(29_000));
  const deps = { userQueues, ledger, workers, accounts, config: { stuckAfterMs: 5_000 } };
  expect(await findStuck(10, { ...deps, clock: { ...systemClock, now: () => now } })).toMatchObject([
    { userId: 'blocked', seq: 1, reason: 'blocked' },
  ]);
});

/** Users whose first request is settled but not flushed, and whose second one waits, in stores that record the operations. */
const manyStuck = async (count: number) => {
  const asked: string[] = [];
  const { userQueues, ledger, workers, accounts } = createMemoryStores(async (what, operate) => {
    asked.push(what.split(' ')[0]!);
    return operate();
  });
  for (let n = 0; n < count; n += 1) {
    const userId = (await accounts.create(`user ${n}`, 'hash'))!;
    await userQueues.create(userId, lane, ago(60_000));
    for (const seq of [1, 2]) {
      await userQueues.takeTicket(userId, undefined, ago(60_000));
      await ledger.insert({ userId, seq, body: '1', acceptedAt: ago(60_000) });
    }
    await ledger.cancel({ userId, seq: 1 }, ago(59_000));
  }
  asked.length = 0;
  const deps = { userQueues, ledger, workers, accounts, config: { stuckAfterMs: 5_000 } };
  return { asked, find: (limit: number) => findStuck(limit, { ...deps, clock: { ...systemClock, now: () => now } }) };
};

test('a page of stuck users takes a few queries, not one or more for each user, and reads no bodies', async () => {
  const { asked, find } = await manyStuck(300);
  const stuck = await find(100);
  expect(stuck).toHaveLength(100);
  for (const { seq, user } of stuck) expect([seq, user]).toEqual([2, expect.stringContaining('user ')]);
  expect(asked.filter((what) => what === 'ledger.read')).toHaveLength(0);
  expect(asked.length).toBeLessThan(10);
});

test('stuck users are found on real servers: without a worker, during a run, and not when their work is done', async () => {
  await using world = await openWorld();
  const stuckAfterMs = 50;
  const [user, idle] = [await world.user(), await world.user()];
  await world.enqueue(user, 'hold');
  const stuck = (limit = 10) => findStuck(limit, { ...world.deps, config: { stuckAfterMs } });
  const reason = (wanted: StuckReason) =>
    eventually(`it is stuck: ${wanted}`, async () => (await stuck()).find((one) => one.reason === wanted));

  const found = await reason('no-worker');
  expect(found).toMatchObject({ userId: user.userId, user: undefined, lane: user.lane, seq: 1 });
  expect(found.sinceMs).toBeGreaterThanOrEqual(stuckAfterMs);

  const ended = Promise.withResolvers<void>();
  world.work(async ({ body }) => {
    await ended.promise;
    return { kind: 'done', result: body };
  });
  expect(await reason('long-run')).toMatchObject({ userId: user.userId });
  expect((await stuck()).map(({ userId }) => userId)).not.toContain(idle.userId);
  expect(await stuck(0)).toEqual([]);

  ended.resolve();
  await world.settled(user, 1);
  await eventually('nobody is stuck', async () => (await stuck()).length === 0);
});
