/** Users whose queue an owner does not consume yet. */
import { expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { LoadedUser } from '../../lib/lanes/loaded-user.ts';
import { UnheardUsers } from '../../lib/lanes/unheard-users.ts';
import type { UserQueueStore } from '../../lib/ports.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { at, user as loadedUser } from './one-user.ts';

const settle = () => new Promise(setImmediate);

/** `pass` ends the pause before the next look-up; `accepted` is what the database says. */
const open = () => {
  const timers: (() => void)[] = [];
  const refreshed: string[] = [];
  const asked: string[][] = [];
  const accepted = new Map<string, number>();
  const state = { owned: true, fails: false };
  const lastAccepted: UserQueueStore['lastAccepted'] = async (userIds) => {
    asked.push(userIds);
    if (state.fails) throw new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
    return new Map(userIds.map((userId) => [userId, accepted.get(userId) ?? 0]));
  };
  const unheard = new UnheardUsers(
    {
      lane: 3,
      token: 1,
      signal: new AbortController().signal,
      mayStart: () => state.owned,
      isHeld: () => true,
      lose: () => undefined,
    },
    { isLoaded: () => true, refresh: (userId) => void refreshed.push(userId) },
    {
      userQueues: { ...createMemoryStores().userQueues, lastAccepted },
      clock: {
        now: () => at(0),
        monotonicMs: () => 0,
        random: () => 0,
        after: (_ms, callback) => {
          timers.push(callback);
          return () => undefined;
        },
      },
    },
  );
  const add = (userId: string): LoadedUser => {
    const user: LoadedUser = { ...loadedUser(), userId, queue: 'opening' };
    unheard.add(user);
    return user;
  };
  const pass = async (): Promise<number> => {
    timers.shift()?.();
    await settle();
    return timers.length;
  };
  return { unheard, add, pass, accepted, refreshed, asked, state };
};

test('a user is refreshed for what was accepted before its queue is consumed, and no other is', async () => {
  const { unheard, add, pass, accepted, refreshed } = open();
  add('busy');
  add('idle');
  unheard.start();
  expect(await pass()).toBe(1);
  expect(refreshed).toEqual([]);
  accepted.set('busy', 1);
  expect(await pass()).toBe(1);
  expect(refreshed).toEqual(['busy']);
});

test('the look-ups end when every queue is consumed or marked, and when the lane is given up', async () => {
  const { unheard, add, pass, asked, state } = open();
  const [one, other, third] = [add('one'), add('other'), add('third')];
  unheard.start();
  one.queue = 'open';
  other.markedRefused = true;
  expect(await pass()).toBe(1);
  expect(asked).toEqual([['third']]);
  state.owned = third.queue === 'open';
  expect(await pass()).toBe(0);
  expect(asked).toHaveLength(1);
});

test('a look-up that fails is repeated, and none asks for all users at once', async () => {
  const { unheard, add, pass, asked, state } = open();
  for (let index = 0; index < 1_200; index += 1) add(`u${index}`);
  unheard.start();
  state.fails = true;
  expect(await pass()).toBe(1);
  state.fails = false;
  asked.splice(0);
  await pass();
  expect(asked.map(({ length }) => length)).toEqual([500, 500, 200]);
});
