import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Comparisons } from '../../lib/deps.ts';
import { createComparisons } from '../../lib/requests/comparisons.ts';

const large = (number: string) => `[${`${number},`.repeat(6_000)}1]`;

let comparisons: Comparisons;
beforeEach(() => {
  comparisons = createComparisons();
});
afterEach(() => comparisons.close());

describe('a comparison', () => {
  test('of large and of small texts finds the same', async () => {
    expect(await comparisons.isSameJson(large('1'), large('1.0'), 'ada')).toBe(true);
    expect(await comparisons.isSameJson(large('1'), large('2'), 'ada')).toBe(false);
    expect(await comparisons.isSameJson('1', '1.0', 'ada')).toBe(true);
    expect(await comparisons.isSameJson('1', '2', 'ada')).toBe(false);
  });

  test('of large texts leaves this thread free, 17 are under way at most, and the next one finds room again', async () => {
    let done = 0;
    const compare = (user: number) => comparisons.isSameJson(large('1'), large('1.0'), `user ${user}`);
    const underWay = Array.from({ length: 17 }, async (_, user) => {
      await compare(user);
      done += 1;
    });
    await expect(compare(17)).rejects.toMatchObject({ code: 'busy', status: 503 });
    await setImmediate();
    expect(done).toBe(0);
    expect(await comparisons.isSameJson('1', '1.0', 'ada')).toBe(true);
    expect(await comparisons.isSameJson(large('1'), large('1'), 'ada')).toBe(true);
    await Promise.all(underWay);
    expect(await compare(17)).toBe(true);
  });

  test('of one user leaves room for others: two are under way at most', async () => {
    const compare = (user: string) => comparisons.isSameJson(large('1'), large('1.0'), user);
    const underWay = [compare('ada'), compare('ada'), compare('bob')];
    await expect(compare('ada')).rejects.toMatchObject({ code: 'busy', status: 503 });
    expect(await Promise.all(underWay)).toEqual([true, true, true]);
    expect(await compare('ada')).toBe(true);
  });
});
