import { describe, expect, test } from '@jest/globals';
import type { Ended, FinalEntry, HistoryEvent } from './history.ts';
import { closedUser, userId, violationKinds } from './test-support.ts';

describe('A request that is blocked', () => {
  const run = (seq: number, attempt = 1) => ({ userId, seq, attempt, fencingToken: 1, worker: 'one' });
  const blocked: HistoryEvent[] = [
    { kind: 'started', ...run(1), at: 1 },
    { kind: 'ended', ...run(1), outcome: 'blocked', at: 2 },
  ];
  const next: HistoryEvent[] = [
    { kind: 'started', ...run(2), at: 10 },
    { kind: 'ended', ...run(2), outcome: 'done', at: 11 },
  ];
  const again = (attempt: number, outcome: Ended['outcome']): HistoryEvent[] => [
    { kind: 'started', ...run(1, attempt), at: 2 * attempt + 1 },
    { kind: 'ended', ...run(1, attempt), outcome, at: 2 * attempt + 1.5 },
  ];
  const decided = (decision: 'retry' | 'skip', at: number): HistoryEvent => ({
    kind: 'decided',
    ...{ userId, seq: 1, decision, at },
  });
  const judged = (first: Omit<FinalEntry, 'userId' | 'seq'>, ...events: HistoryEvent[]) =>
    violationKinds({
      events: [...blocked, ...events, ...next],
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

  test('is passed over when an operator ended its run, also after its dead letter was dropped', () => {
    const ended = { ...skipped, deadLetter: { reason: 'ended' }, endRequested: true } as const;
    expect(judged(ended)).toEqual([]);
    expect(judged({ ...ended, deadLetter: undefined }, decided('retry', 9))).toEqual(['dead-letter']);
    expect(judged({ ...skipped, endRequested: true })).toEqual(['inversion', 'wrong-outcome']);
  });

  test('is passed over when its user disconnects with a cancel, and not before', () => {
    const leaving = { kind: 'leaving', userId, session: 'one', pending: 'cancel' } as const;
    expect(judged(cancelled, { ...leaving, at: 9 })).toEqual([]);
    expect(judged(cancelled, { ...leaving, at: 10.5 })).toEqual(['inversion']);
    expect(judged(cancelled, { ...leaving, pending: 'drain', at: 9 })).toEqual(['inversion']);
  });

  test('runs again once for each retry that a person asks for', () => {
    const done = { status: 'done', attempts: 3 } as const;
    const runs = [...again(2, 'blocked'), ...again(3, 'done')];
    expect(judged(done, ...runs, decided('retry', 3), decided('retry', 6))).toEqual([]);
    expect(judged(done, ...runs, decided('retry', 3))).toContain('repeat');
    expect(judged(done, ...runs, decided('retry', 3), decided('skip', 6))).toContain('repeat');
    expect(judged(done, ...runs, decided('retry', 3), decided('retry', 7.5))).toContain('repeat');
  });

  test('runs again without a decision when its worker was killed before it could block the request', () => {
    const killed: HistoryEvent = { kind: 'fault', fault: 'worker-killed', target: 'one', at: 3 };
    const elsewhere = [...again(2, 'blocked'), ...again(3, 'done')].map((event) => ({
      ...event,
      worker: 'two',
      fencingToken: 2,
    }));
    const done = { status: 'done', attempts: 3 } as const;
    expect(judged(done, killed, ...elsewhere, decided('retry', 6))).not.toContain('repeat');
    expect(judged(done, killed, ...elsewhere)).toContain('repeat');
    expect(judged(done, ...elsewhere, decided('retry', 6))).toContain('repeat');
  });
});
