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
    expect(await comparisons.isSameJson(large('1'), large('1.0'))).toBe(true);
    expect(await comparisons.isSameJson(large('1'), large('2'))).toBe(false);
    expect(await comparisons.isSameJson('1', '1.0')).toBe(true);
    expect(await comparisons.isSameJson('1', '2')).toBe(false);
  });

  test('of large texts leaves this thread free, 17 are under way at most, and the next one finds room again', async () => {
    let done = 0;
    const compare = () => comparisons.isSameJson(large('1'), large('1.0'));
    const underWay = Array.from({ length: 17 }, async () => {
      await compare();
      done += 1;
    });
    await expect(compare()).rejects.toMatchObject({ code: 'busy', status: 503 });
    await setImmediate();
    expect(done).toBe(0);
    expect(await comparisons.isSameJson('1', '1.0')).toBe(true);
    expect(await comparisons.isSameJson(large('1'), large('1'))).toBe(true);
    await Promise.all(underWay);
    expect(await compare()).toBe(true);
  });
});
