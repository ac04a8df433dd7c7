import { expect, test } from '@jest/globals';
import { inTurns } from '../../lib/lanes/turns.ts';

/** A clock whose pauses end when the test says so. */
const pausedClock = () => {
  const pauses: (() => void)[] = [];
  const after = (_ms: number, callback: () => void) => {
    pauses.push(callback);
    return () => undefined;
  };
  const endPause = async () => {
    await new Promise(setImmediate);
    pauses.shift()?.();
    await new Promise(setImmediate);
  };
  return { clock: { after }, endPause };
};

const items = [1, 2, 3, 4, 5, 6, 7, 8];

const begin = ({ users = 1_000, ...options }: { users?: number; graceMs?: number; signal?: AbortSignal } = {}) => {
  const { clock, endPause } = pausedClock();
  const acted: number[] = [];
  const ended = inTurns(items, { clock, users, ...options }, async (item) => void acted.push(item));
  return { acted, ended, endPause };
};

test('there are at most four turns, with a pause between two', async () => {
  const { acted, ended, endPause } = begin();
  for (const count of [2, 4, 6]) {
    expect(acted).toHaveLength(count);
    await endPause();
  }
  await ended;
  expect(acted).toEqual(items);
});

test.each([
  [0, 8],
  [3, 8],
  [4, 2],
])('lanes with %i users in all go %i at a time', async (users, count) => {
  expect(begin({ users }).acted).toHaveLength(count);
});

test('a worker that stops takes a single turn when its grace period is short', async () => {
  const short = begin({ graceMs: 11_999 });
  await short.ended;
  expect(short.acted).toEqual(items);
  expect(begin({ graceMs: 12_000 }).acted).toHaveLength(2);
});

test('no turn begins after the signal', async () => {
  const stopping = new AbortController();
  const { acted, ended } = begin({ signal: stopping.signal });
  stopping.abort();
  await ended;
  expect(acted).toHaveLength(2);
});
