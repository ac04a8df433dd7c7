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

const held = () => true;

/** Records the statements. `fails` says which of them, counted from 0, are not answered. */
const recorded = (fails: (progress: Progress[], index: number) => boolean = () => false) => {
  const statements: Progress[][] = [];
  const flushSettled: UserQueueStore['flushSettled'] = async (progress) => {
    statements.push(progress);
    if (fails(progress, statements.length - 1))
      throw new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
  };
  return { statements, userQueues: { ...createMemoryStores().userQueues, flushSettled } };
};

const usersOf = (statements: Progress[][]) => statements.flat().map(({ userId }) => userId);

test('no statement grows with the number of users', async () => {
  const { statements, userQueues } = recorded();
  const users = advancedUsers(1_050);
  await flush(dueFlushes(users, 0, held), { clock, userQueues });
  expect(Math.max(...statements.map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(new Set(usersOf(statements)).size).toBe(1_050);
  expect(dueFlushes(users, 0, held)).toEqual([]);
});

test('after a statement that failed, those come first that were flushed longest ago', async () => {
  const users = advancedUsers(300);
  const late = recorded((_progress, index) => index === 1);
  await expect(flush(dueFlushes(users, 0, held), { clock, ...late })).rejects.toThrow('did not answer');
  for (const one of users) advancePast(one, { seq: 2 }, 0);
  const next = recorded();
  await flush(dueFlushes(users, 0, held), { clock, ...next });
  expect(usersOf(next.statements.slice(0, 1))).toEqual(usersOf(late.statements.slice(1, 2)));
});

test('a statement that fails again and again keeps nobody from its turn, and the first failure is reported', async () => {
  const users = advancedUsers(300);
  for (const seq of [2, 3]) {
    const { userQueues } = recorded((progress) => progress.some(({ userId }) => userId === 'u7'));
    await expect(flush(dueFlushes(users, 0, held), { clock, userQueues })).rejects.toThrow('did not answer');
    const late = dueFlushes(users, 0, held).map(({ user: { userId } }) => userId);
    expect(late).toContain('u7');
    expect(late).toHaveLength(100);
    for (const one of users) advancePast(one, { seq }, 0);
  }
});

test('a lane that is lost during a flush is left out of the next statements', async () => {
  const [kept, lost] = [advancedUsers(150), advancedUsers(150)];
  const { statements, userQueues } = recorded();
  const due = [...dueFlushes(kept, 0, held), ...dueFlushes(lost, 0, () => statements.length === 0)];
  await flush(due, { clock, userQueues });
  expect(usersOf(statements)).toEqual(kept.map(({ userId }) => userId));
  expect(lost.every(({ flushed }) => flushed === 0)).toBe(true);
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
