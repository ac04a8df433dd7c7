import { describe, expect, test } from '@jest/globals';
import type { JudgeOptions } from './excuses.ts';
import type { Ended, HistoryEvent } from './history.ts';
import { judgeHistory } from './judge.ts';
import { closedUser, violationKinds } from './test-support.ts';

describe('A worker that is cut off but alive', () => {
  const stale = { userId: 'ada', seq: 1, attempt: 1, fencingToken: 1, worker: 'old' };
  const fresh = { userId: 'ada', seq: 1, attempt: 2, fencingToken: 2, worker: 'new' };
  const later = { userId: 'ada', seq: 2, attempt: 1, fencingToken: 2, worker: 'new' };
  const final = closedUser({ status: 'done', attempts: 2 }, { status: 'done', attempts: 1 });
  const cut: HistoryEvent = { kind: 'fault', fault: 'connection-cut', target: 'old', at: 3 };

  /**
   * `old` runs request 1 from `began` to `ended`, in vain. `new` runs request 1 from 4 to 6 and request 2 from 10 to
   * 11.
   */
  const history = (
    faults: HistoryEvent[],
    { began = 2, ended = 5, outcome = 'aborted' as Ended['outcome'] } = {},
  ): HistoryEvent[] => [
    { kind: 'accepted', userId: 'ada', seq: 1, at: 1 },
    { kind: 'started', ...stale, at: began },
    ...faults,
    { kind: 'started', ...fresh, at: 4 },
    { kind: 'ended', ...stale, outcome, at: ended },
    { kind: 'ended', ...fresh, outcome: 'done', at: 6 },
    { kind: 'settled', ...fresh, status: 'done', at: 7 },
    { kind: 'started', ...later, at: 10 },
    { kind: 'ended', ...later, outcome: 'done', at: 11 },
    { kind: 'settled', ...later, status: 'done', at: 12 },
  ];
  const allowed = { allowCutOff: true };
  const judged = (events: HistoryEvent[], options: JudgeOptions = allowed) => judgeHistory(events, final, options);

  test('may still be inside a run when another worker acquires the lane, where that is allowed', () => {
    expect(judged(history([cut]))).toMatchObject({ violations: [], counts: { staleRuns: 1 } });
    expect(violationKinds({ events: history([cut]), final })).toEqual(['overlap']);
  });

  test('may start a run late that it had claimed, and be inside it while the next request runs', () => {
    for (const times of [{ began: 8, ended: 9, outcome: 'retry' as const }, { began: 8, ended: 10.5 }, { ended: 13 }]) {
      expect(judged(history([cut], times))).toMatchObject({ violations: [], counts: { staleRuns: 1 } });
    }
  });

  test('may have taken the lease after the worker that owns the lane', () => {
    expect(judged(history([{ ...cut, target: 'new' }]))).toMatchObject({ violations: [], counts: { staleRuns: 1 } });
  });

  test('is not excused without a fault, by a fault of another worker, long after a fault, or before one', () => {
    const seen = (fault: HistoryEvent, options: JudgeOptions = allowed) =>
      violationKinds({ events: history([fault]), final }, options);
    expect(seen({ ...cut, fault: 'worker-joined' })).toContain('overlap');
    expect(seen({ ...cut, fault: 'worker-killed' })).toContain('overlap');
    expect(seen({ ...cut, target: 'another' })).toContain('overlap');
    expect(seen({ ...cut, at: 1 }, { ...allowed, excuseMs: 2 })).toContain('overlap');
    expect(seen({ ...cut, at: 4.5 })).toContain('overlap');
  });

  test('may not record its outcome', () => {
    const events: HistoryEvent[] = [...history([cut]), { kind: 'settled', ...stale, status: 'done', at: 5.5 }];
    expect(violationKinds({ events, final }, allowed)).toContain('second-outcome');
  });

  test('under the higher token, does not let the worker with the lower token record an outcome', () => {
    const events = history([cut]).map((event) =>
      'worker' in event && event.worker === 'old' ? { ...event, fencingToken: 3 } : event,
    );
    expect(violationKinds({ events, final }, allowed)).toContain('second-outcome');
  });

  test('may not run beside itself before it has waited for the grace period', () => {
    const itself = { ...fresh, worker: 'old' };
    const events = (at: number): HistoryEvent[] => [
      ...history([cut]).filter((event) => !('attempt' in event)),
      { kind: 'started', ...stale, at: 2 },
      { kind: 'started', ...itself, at },
      { kind: 'ended', ...stale, outcome: 'aborted', at: at + 1 },
      { kind: 'ended', ...itself, outcome: 'done', at: at + 2 },
    ];
    const seen = (at: number) =>
      violationKinds({ events: events(at), final }, { ...allowed, graceMs: 3 }).filter((kind) => kind === 'overlap');
    expect(seen(4.9)).toEqual(['overlap']);
    expect(seen(5)).toEqual([]);
  });

  test('may not run beside another worker under the same token', () => {
    const events = history([cut]).map((event) => ('fencingToken' in event ? { ...event, fencingToken: 2 } : event));
    expect(violationKinds({ events, final }, allowed)).toEqual(['overlap', 'repeat']);
  });
});
