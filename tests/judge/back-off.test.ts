import { describe, expect, test } from '@jest/globals';
import type { FinalEntry, HistoryEvent } from './history.ts';
import { closedUser, userId, violationKinds } from './test-support.ts';

describe('A request that waits for its next attempt', () => {
  const run = (seq: number, attempt = 1) => ({ userId, seq, attempt, fencingToken: 1, worker: 'one' });
  const failed: HistoryEvent[] = [
    { kind: 'started', ...run(1), at: 1 },
    { kind: 'ended', ...run(1), outcome: 'retry', at: 2 },
  ];
  const next: HistoryEvent[] = [
    { kind: 'started', ...run(2), at: 10 },
    { kind: 'ended', ...run(2), outcome: 'done', at: 11 },
  ];
  const decided = (decision: 'retry' | 'skip', at: number): HistoryEvent => ({
    kind: 'decided',
    ...{ userId, seq: 1, decision, at },
  });
  const judged = (first: Omit<FinalEntry, 'userId' | 'seq'>, ...events: HistoryEvent[]) =>
    violationKinds({
      events: [...failed, ...events, ...next],
      final: closedUser(first, { status: 'done', attempts: 1 }),
    });
  const skipped = { status: 'failed', attempts: 1, deadLetter: { reason: 'failed' } } as const;
  const cancelled = { status: 'cancelled', attempts: 1 } as const;

  test('is passed over when a person skips it, and not before', () => {
    expect(judged(skipped, decided('skip', 9))).toEqual([]);
    expect(judged(skipped, decided('skip', 10.5))).toEqual(['inversion']);
    expect(judged(skipped, decided('retry', 9))).toEqual(['inversion', 'wrong-outcome']);
    expect(judged(skipped)).toEqual(['inversion', 'wrong-outcome']);
  });

  test('is passed over when its user cancels it, and not before', () => {
    const asked = { kind: 'cancel-asked', userId, seq: 1 } as const;
    expect(judged(cancelled, { ...asked, at: 9 })).toEqual([]);
    expect(judged(cancelled, { ...asked, at: 10.5 })).toEqual(['inversion']);
    expect(judged(cancelled, { ...asked, seq: 2, at: 9 })).toEqual(['inversion']);
  });

  test('is passed over when its user disconnects with a cancel, and not before', () => {
    const leaving = { kind: 'leaving', userId, session: 'one', pending: 'cancel' } as const;
    expect(judged(cancelled, { ...leaving, at: 9 })).toEqual([]);
    expect(judged(cancelled, { ...leaving, at: 10.5 })).toEqual(['inversion']);
    expect(judged(cancelled, { ...leaving, pending: 'drain', at: 9 })).toEqual(['inversion']);
  });

  test('has a second outcome when it is cancelled although its next attempt ran to its end', () => {
    const asked = { kind: 'cancel-asked', userId, seq: 1, at: 2.5 } as const;
    const again: HistoryEvent[] = [
      { kind: 'started', ...run(1, 2), at: 3 },
      { kind: 'ended', ...run(1, 2), outcome: 'done', at: 4 },
    ];
    expect(judged({ ...cancelled, attempts: 2 }, asked, ...again)).toContain('second-outcome');
  });
});
