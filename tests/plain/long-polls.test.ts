import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createLongPolls } from '../../lib/long-polls.ts';
import { eventually } from '../support/world.ts';

const limits = { maxPolls: 4, maxUserPolls: 3, maxSessionPolls: 2, maxKeyPolls: 3 };
const call = (userId: string, sessionId: string, waitMs = 20_000) => ({ userId, sessionId, waitMs });

/** Something that is waited for: what it says, and how often it was asked. */
const watched = () => {
  const state = { says: undefined as string | undefined, fails: false, asked: 0 };
  const check = async () => {
    state.asked += 1;
    if (state.fails) throw new Error('MongoDB is away');
    return state.says;
  };
  return { state, check };
};

test('many calls that wait for the same thing ask no more often than one, and all of them get it', async () => {
  const { state, check } = watched();
  const polls = createLongPolls(systemClock, {
    maxPolls: 100,
    maxUserPolls: 100,
    maxSessionPolls: 100,
    maxKeyPolls: 100,
  });
  const calls = Array.from({ length: 50 }, () => polls.waitOf(call('ada', 'phone'))('a request', check));
  await eventually('it was asked some times', () => state.asked >= 4);
  expect(state.asked).toBeLessThan(20);
  state.says = 'done';
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['done']));
});

test('each call waits as long as it asked for, and nobody asks when the last one has left', async () => {
  const { state, check } = watched();
  const polls = createLongPolls(systemClock, limits);
  const long = polls.waitOf(call('ada', 'phone'))('a request', check);
  expect(await polls.waitOf(call('ada', 'phone', 50))('a request', check)).toBeUndefined();
  const gone = new AbortController();
  const leaving = polls.waitOf({ ...call('ada', 'laptop'), signal: gone.signal })('a request', check);
  gone.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'caller-gone', status: 499 });
  state.says = 'done';
  expect(await long).toBe('done');
  const { asked } = state;
  state.says = undefined;
  await polls.waitOf(call('ada', 'phone', 100))('another', async () => undefined);
  expect(state.asked).toBe(asked);
});

test('a failure reaches every call that waits, and the next call asks again', async () => {
  const { state, check } = watched();
  const polls = createLongPolls(systemClock, limits);
  state.fails = true;
  const calls = [1, 2].map(() => polls.waitOf(call('ada', 'phone'))('a request', check));
  for (const one of calls) await expect(one).rejects.toThrow('MongoDB is away');
  state.fails = false;
  state.says = 'done';
  expect(await polls.waitOf(call('ada', 'phone'))('a request', check)).toBe('done');
});

test('a session, a user and the process have a limit each, and a call that ends makes room', async () => {
  const { state, check } = watched();
  const polls = createLongPolls(systemClock, limits);
  const ask = (userId: string, sessionId: string) => polls.waitOf(call(userId, sessionId))(`of ${userId}`, check);
  const waiting = [ask('ada', 'phone'), ask('ada', 'phone')];
  await expect(ask('ada', 'phone')).rejects.toMatchObject({
    status: 429,
    code: 'too-many-polls',
    retryAfterSeconds: 1,
  });
  waiting.push(ask('ada', 'laptop'));
  await expect(ask('ada', 'laptop')).rejects.toMatchObject({
    status: 429,
    message: expect.stringMatching(/^3 calls of this user/),
  });
  waiting.push(ask('grace', 'tablet'));
  // The process is full. The user with the most calls makes room, until both have as many.
  waiting.push(ask('grace', 'tablet'));
  expect(await waiting.shift()).toBeUndefined();
  await expect(ask('grace', 'watch')).rejects.toMatchObject({
    status: 503,
    code: 'busy',
    expose: true,
    retryAfterSeconds: 1,
  });
  state.says = 'done';
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'done'));
  expect(await ask('grace', 'watch')).toBe('done');
});

test('an API key has one limit for all its users, and gives way as a user does', async () => {
  const { state, check } = watched();
  const polls = createLongPolls(systemClock, { ...limits, maxSessionPolls: 1 });
  const ask = (user: string) => polls.waitOf({ keyId: 'shop', waitMs: 20_000 })(`of ${user}`, check);
  const waiting = ['ada', 'ada', 'grace'].map(ask);
  await expect(ask('alan')).rejects.toMatchObject({
    status: 429,
    message: expect.stringMatching(/^3 calls of this key/),
  });
  const own = () => polls.waitOf(call('ada', 'phone'))('of ada', check);
  const others = [own(), polls.waitOf(call('alan', 'phone'))('of alan', check)];
  expect(await waiting.shift()).toBeUndefined();
  state.says = 'done';
  expect(await Promise.all([...waiting, ...others])).toEqual(Array(4).fill('done'));
});
