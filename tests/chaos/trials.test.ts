import { describe, expect, test } from '@jest/globals';
import { isCaught } from './trials.ts';

const trial = { shows: ['repeat'] as const, withinSeconds: 60 };
const seen = (kind: 'repeat' | 'late', seconds = 60) => ({
  violations: [{ kind, userId: 'ada', detail: 'seen' }],
  seconds,
});

describe('a break is detected', () => {
  test('by a violation that it leads to, within the time limit', () => {
    expect(isCaught(trial, seen('repeat'))).toBe(true);
  });

  test('but not by another violation, without a violation, or after the time limit', () => {
    expect(isCaught(trial, seen('late'))).toBe(false);
    expect(isCaught(trial, { violations: [], seconds: 1 })).toBe(false);
    expect(isCaught(trial, seen('repeat', 61))).toBe(false);
  });
});
