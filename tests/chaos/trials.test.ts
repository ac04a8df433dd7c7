import { describe, expect, test } from '@jest/globals';
import { isCaught } from './trials.ts';

const trial = { shows: ['repeat'] as const, withinSeconds: 60 };
const seen = (kind: 'repeat' | 'late', seconds = 60) => ({
  violations: [{ kind, userId: 'ada', detail: 'seen' }],
  seconds,
});

describe('a broken step is caught', () => {
  test('by what it leads to, within its time', () => {
    expect(isCaught(trial, seen('repeat'))).toBe(true);
  });

  test('not by something else, nor by nothing, nor too late', () => {
    expect(isCaught(trial, seen('late'))).toBe(false);
    expect(isCaught(trial, { violations: [], seconds: 1 })).toBe(false);
    expect(isCaught(trial, seen('repeat', 61))).toBe(false);
  });
});
