import { describe, expect, test } from '@jest/globals';
import type { FinalEntry, HistoryEvent } from './history.ts';
import { closedUser, userId, violationKinds } from './test-support.ts';

describe('A request that must not run again after an interruption', () => {
  const run = (seq: number, attempt: number, worker: string, fencingToken: number) => ({
    ...{ userId, seq, attempt, worker, fencingToken },
  });
  const first: HistoryEvent = { kind: 'started', ...run(1, 1, 'one', 1), at: 2 };
  const killed: HistoryEvent = { kind: 'fault', fault: 'worker-killed', target: 'one', at: 3 };
  const again: HistoryEvent[] = [
    { kind: 'started', ...run(1, 2, 'two', 2), at: 4 },
    { kind: 'ended', ...run(1, 2, 'two', 2), outcome: 'done', at: 5 },
  ];
  const next: HistoryEvent[] = [
    { kind: 'started', ...run(2, 1, 'two', 2), at: 10 },
    { kind: 'ended', ...run(2, 1, 'two', 2), outcome: 'done', at: 11 },
  ];
  const judged = (once: boolean, entry: Omit<FinalEntry, 'userId' | 'seq'>, ...events: HistoryEvent[]) =>
    violationKinds({
      events: [{ kind: 'accepted', userId, seq: 1, at: 1, once }, first, killed, ...events, ...next],
      final: closedUser(entry, { status: 'done', attempts: 1 }),
    });
  const givenUp = { status: 'failed', attempts: 1, deadLetter: { reason: 'interrupted' } } as const;
  const done = { status: 'done', attempts: 2 } as const;

  test('becomes a dead letter, however its last run ended', () => {
    expect(judged(true, givenUp)).toEqual([]);
    for (const outcome of ['done', 'retry', 'blocked', 'aborted'] as const) {
      expect(judged(true, givenUp, { kind: 'ended', ...run(1, 1, 'one', 1), outcome, at: 2.5 })).toEqual([]);
    }
  });

  test('runs again after a failed attempt, or when a person decides so, and not because its worker died', () => {
    const failed: HistoryEvent = { kind: 'ended', ...run(1, 1, 'one', 1), outcome: 'retry', at: 2.5 };
    const decided: HistoryEvent = { kind: 'decided', userId, seq: 1, decision: 'retry', at: 3.5 };
    expect(judged(true, done, ...again)).toEqual(['repeat']);
    expect(judged(true, done, failed, ...again)).toEqual([]);
    expect(judged(true, done, decided, ...again)).toEqual([]);
    expect(judged(false, done, ...again)).toEqual([]);
  });

  test('is the only kind that becomes a dead letter for that reason', () => {
    expect(judged(false, givenUp)).toEqual(['wrong-outcome']);
  });

  test('may be one whose client got no answer', () => {
    const unheard = { events: [first, killed, ...next], final: closedUser(givenUp, { status: 'done', attempts: 1 }) };
    expect(violationKinds(unheard)).not.toContain('wrong-outcome');
  });
});
