import { describe, expect, test } from '@jest/globals';
import { type Measured, shortfallsOf } from './limits.ts';

const good: Measured = {
  name: 'kill -9',
  inFlight: 990,
  usersHit: 480,
  worstMs: 300,
  limitMs: 300,
  from: 'fromStartMs',
  mostRepeats: 1,
};
const told = (change: Partial<Measured>) => shortfallsOf({ ...good, ...change });

describe('a measurement', () => {
  test('has no shortfall at its limits', () => {
    expect(told({})).toEqual([]);
    expect(told({ inFlight: 800 })).toEqual([]);
  });

  test('falls short when somebody waited longer, or for ever', () => {
    expect(told({ worstMs: 301 })).toEqual(['too late']);
    expect(told({ worstMs: Number.POSITIVE_INFINITY })).toEqual(['too late']);
  });

  test('falls short when it hit nobody, had little to hit, or let a user repeat more than once', () => {
    expect(told({ usersHit: 0, worstMs: 0 })).toEqual(['nobody hit']);
    expect(told({ inFlight: 799 })).toEqual(['fewer than 800 runs in flight']);
    expect(told({ mostRepeats: 2 })).toEqual(['more than 1 repeat of a user']);
  });
});
