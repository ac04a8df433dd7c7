import { expect, test } from '@jest/globals';
import { createLongestWaits } from '../../lib/requests/longest-waits.ts';
import type { ListedUser } from '../../lib/requests/users.ts';

const steppedClock = () => {
  let ms = 1_000_000;
  return {
    clock: { monotonicMs: () => ms, now: () => new Date(ms) },
    pass: (more: number) => {
      ms += more;
    },
  };
};

const open = () => {
  const { clock, pass } = steppedClock();
  const longestWaits = createLongestWaits();
  let reads = 0;
  const list = async (): Promise<ListedUser[]> => {
    reads += 1;
    return [];
  };
  return { pass, reads: () => reads, look: (changes: string) => longestWaits(changes, clock, list) };
};

test('who waits longest is read again half a minute later, where nothing has changed', async () => {
  const { pass, reads, look } = open();
  const { at } = await look('a');
  pass(29_999);
  expect(await look('a')).toEqual({ at, users: [] });
  expect(reads()).toBe(1);
  pass(1);
  expect((await look('a')).at.getTime()).toBe(at.getTime() + 30_000);
  expect(reads()).toBe(2);
});

test('a change is read at once, and the next ones every two and a half seconds', async () => {
  const { pass, reads, look } = open();
  await look('a');
  pass(10_000);
  await look('b');
  expect(reads()).toBe(2);
  for (const changes of ['c', 'd']) {
    pass(1_000);
    await look(changes);
  }
  expect(reads()).toBe(2);
  pass(500);
  await look('e');
  expect(reads()).toBe(3);
});

test('a read that fails is tried again by the next look', async () => {
  const { clock } = steppedClock();
  const longestWaits = createLongestWaits();
  const fails = longestWaits('a', clock, async () => {
    throw new Error('MongoDB does not answer');
  });
  await expect(fails).rejects.toThrow('does not answer');
  expect(await longestWaits('a', clock, async () => [])).toMatchObject({ users: [] });
});
