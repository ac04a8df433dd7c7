/** What an owner flushes, and in which statements. */
import { expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { dueFlushes, flush } from '../../lib/lanes/flush.ts';
import { advancePast, type LoadedUser, waitsForKnownReason } from '../../lib/lanes/loaded-user.ts';
import type { Progress, UserQueueStore } from '../../lib/ports.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { at, user } from './one-user.ts';

const clock = { now: () => at(0), monotonicMs: () => 1_000, after: () => () => undefined, random: () => 0 };

/** Each with one request settled since its last flush. */
const advancedUsers = (count: number): LoadedUser[] =>
  Array.from({ length: count }, (_, index) => {
    const one: LoadedUser = { ...user({ accepted: 1 }), userId: `u${index}` };
    advancePast(one, { seq: 1 }, 0);
    return one;
  });

/** Records the statements. `fails` says which of them, counted from 0, is not answered. */
const recorded = (fails?: number) => {
  const statements: Progress[][] = [];
  const flushSettled: UserQueueStore['flushSettled'] = async (progress) => {
    statements.push(progress);
    if (statements.length - 1 === fails) throw new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
  };
  return { statements, userQueues: { ...createMemoryStores().userQueues, flushSettled } };
};

const usersOf = (statements: Progress[][]) => statements.flat().map(({ userId }) => userId);

test('no statement grows with the number of users', async () => {
  const { statements, userQueues } = recorded();
  const users = advancedUsers(1_050);
  await flush(dueFlushes(users, 0), { clock, userQueues });
  expect(Math.max(...statements.map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(new Set(usersOf(statements)).size).toBe(1_050);
  expect(dueFlushes(users, 0)).toEqual([]);
});

test('after a statement that failed, those come first that were flushed longest ago', async () => {
  const users = advancedUsers(300);
  const late = recorded(1);
  await expect(flush(dueFlushes(users, 0), { clock, ...late })).rejects.toThrow('did not answer');
  for (const one of users) advancePast(one, { seq: 2 }, 0);
  const next = recorded();
  await flush(dueFlushes(users, 0), { clock, ...next });
  const [flushedBefore = []] = late.statements;
  expect(usersOf(next.statements.slice(-1))).toEqual(flushedBefore.map(({ userId }) => userId));
});

test.each([
  ['that is idle', {}, false],
  ['that is idle without a session, because nothing closes it', { drain: true }, false],
  ['whose queue is being declared, without a session', { drain: true, queue: 'opening' as const }, true],
  ['whose queue is being deleted', { closing: true, activity: 'working' as const }, true],
  ['whose queue could not be deleted yet', { closing: true, cancelTimer: () => undefined }, true],
])('an owner vouches for a user %s: %s', (_which, changes, vouches) => {
  expect(waitsForKnownReason({ ...user(), ...changes })).toBe(vouches);
});
