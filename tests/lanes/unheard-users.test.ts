/** Users whose queue an owner does not consume yet. */
import { expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { LoadedUser } from '../../lib/lanes/loaded-user.ts';
import { UnheardUsers } from '../../lib/lanes/unheard-users.ts';
import { at, user as loadedUser } from './one-user.ts';

const settle = () => new Promise(setImmediate);

/** `pass` ends the pause before the next look-up; `accepted` is what the database says, and `asked` what was asked for. */
const open = () => {
  const timers: (() => void)[] = [];
  const refreshed: string[] = [];
  const asked: { lane: number; users: number }[] = [];
  const users = new Set<LoadedUser>();
  const accepted = new Map<string, number>();
  const state = { owned: true, fails: false };
  const lastTickets = async (lane: { lane: number; users: number }) => {
    asked.push(lane);
    if (state.fails) throw new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
    return accepted;
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
    { isLoaded: () => true, refresh: (userId) => void refreshed.push(userId), count: () => users.size },
    {
      lastTickets,
      deps: {
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
    },
  );
  const add = (userId: string): LoadedUser => {
    const user: LoadedUser = { ...loadedUser(), userId, queue: 'opening' };
    unheard.add(user);
    users.add(user);
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
  expect(asked).toEqual([{ lane: 3, users: 3 }]);
  state.owned = third.queue === 'open';
  expect(await pass()).toBe(0);
  expect(asked).toHaveLength(1);
});

test('a look-up that fails is repeated', async () => {
  const { unheard, add, pass, accepted, refreshed, state } = open();
  add('busy');
  accepted.set('busy', 1);
  unheard.start();
  state.fails = true;
  expect(await pass()).toBe(1);
  state.fails = false;
  await pass();
  expect(refreshed).toEqual(['busy']);
});

test('nothing is asked while every user has work anyway', async () => {
  const { unheard, add, pass, asked } = open();
  Object.assign(add('busy'), { next: 1, known: 1 });
  unheard.start();
  expect(await pass()).toBe(1);
  expect(asked).toEqual([]);
});
