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
const shortfalls = (change: Partial<Measured>) => shortfallsOf({ ...good, ...change });

describe('a measurement', () => {
  test('has no shortfall exactly at its limits', () => {
    expect(shortfalls({})).toEqual([]);
    expect(shortfalls({ inFlight: 800 })).toEqual([]);
  });

  test('falls short when a user waited longer than the limit, or forever', () => {
    expect(shortfalls({ worstMs: 301 })).toEqual(['too late']);
    expect(shortfalls({ worstMs: Number.POSITIVE_INFINITY })).toEqual(['too late']);
  });

  test('falls short when the fault hit no user, when too few runs were in flight, or when a user had two repeats', () => {
    expect(shortfalls({ usersHit: 0, worstMs: 0 })).toEqual(['no user hit']);
    expect(shortfalls({ inFlight: 799 })).toEqual(['fewer than 800 runs in flight']);
    expect(shortfalls({ mostRepeats: 2 })).toEqual(['more than 1 repeat for a user']);
  });
});
