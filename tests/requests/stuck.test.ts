import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { lastProgress } from '../../lib/lanes/stuck-users.ts';
import { findStuck, type StuckReason } from '../../lib/requests/stuck.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { eventually, openWorld } from '../support/world.ts';

const now = new Date('2026-11-25T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const lane = 7;

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
