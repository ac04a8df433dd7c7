import { describe, expect, test } from '@jest/globals';
import { laneOf } from '../../lib/lane-of.ts';

describe('laneOf', () => {
  test('is the same for a user every time, whichever function computes it', () => {
    expect(laneOf('66f0c0ffee0000000000beef', 64)).toBe(28);
    expect(laneOf('66f0c0ffee0000000000beef', 1)).toBe(0);
  });

  test('spreads users evenly over the lanes', () => {
    const counts = new Array<number>(16).fill(0);
    for (let user = 0; user < 16_000; user += 1) counts[laneOf(`user-${user}`, 16)]! += 1;
    for (const count of counts) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1_150);
    }
  });
});
