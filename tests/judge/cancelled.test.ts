import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from './history.ts';
import { closedUser, userId, violationKinds } from './test-support.ts';

describe('A request that is cancelled', () => {
  const final = closedUser({ status: 'cancelled', attempts: 0 });
  const accepted: HistoryEvent = { kind: 'accepted', userId, seq: 1, sentAt: 10, at: 20, session: 'one' };
  const leaving = (session: string, at: number, pending: 'drain' | 'cancel' = 'cancel'): HistoryEvent => ({
    kind: 'leaving',
    ...{ userId, session, at, pending },
  });
  const left = (session: string, at: number): HistoryEvent => ({ kind: 'left', userId, session, at });
  const judged = (...events: HistoryEvent[]) => violationKinds({ events: [accepted, ...events], final });

  test('is lost when no client asked for the cancellation', () => {
    expect(judged()).toEqual(['loss']);
    expect(judged(leaving('one', 30, 'drain'))).toEqual(['loss']);
    expect(judged({ kind: 'cancel-asked', userId, seq: 2, at: 30 })).toEqual(['loss']);
  });

  test('is kept when a client asked for the cancellation, whatever the answer was', () => {
    expect(judged({ kind: 'cancel-asked', userId, seq: 1, at: 30 })).toEqual([]);
    expect(judged({ kind: 'cancelled', userId, seq: 1, at: 30 })).toEqual([]);
  });

  test('is kept when its session ended with a cancel, even if the request was sent just before the answer', () => {
    expect(judged(leaving('one', 5), left('one', 10))).toEqual([]);
    expect(judged(leaving('one', 5))).toEqual([]);
  });

  test('is lost when it was sent after the disconnect had been answered', () => {
    expect(judged(leaving('one', 5), left('one', 9))).toEqual(['loss']);
    expect(judged({ ...accepted, session: undefined }, leaving('zero', 5), left('zero', 9))).toEqual(['loss']);
  });

  test('is lost when another session ended with a cancel before its own session ended', () => {
    expect(judged(leaving('zero', 15), left('zero', 30))).toEqual(['loss']);
    expect(judged(leaving('zero', 15), left('zero', 30), leaving('one', 31, 'drain'))).toEqual(['loss']);
    expect(judged(leaving('zero', 15), left('zero', 30), leaving('one', 29, 'drain'))).toEqual([]);
  });

  test('may have run when its run was interrupted, and the last session of its user ended with a cancel', () => {
    const run = { userId, seq: 1, attempt: 1, fencingToken: 1, worker: 'one' };
    const started: HistoryEvent = { kind: 'started', ...run, at: 21 };
    const done: HistoryEvent = { kind: 'ended', ...run, outcome: 'done', at: 22 };
    const killed = (at: number, target = 'one'): HistoryEvent => ({
      kind: 'fault',
      fault: 'worker-killed',
      target,
      at,
    });
    const ran = (...events: HistoryEvent[]) =>
      violationKinds(
        { events: [accepted, started, ...events], final: closedUser({ status: 'cancelled', attempts: 1 }) },
        { excuseMs: 5 },
      );
    expect(ran(killed(25), leaving('one', 30))).toEqual([]);
    expect(ran(done, killed(25), leaving('one', 30))).toEqual([]);
    expect(ran(done, killed(28), leaving('one', 30))).toEqual(['second-outcome']);
    expect(ran(done, killed(25, 'two'), leaving('one', 30))).toEqual(['second-outcome']);
    expect(ran(done, killed(25), { kind: 'cancel-asked', userId, seq: 1, at: 30 })).toEqual(['second-outcome']);
  });
});
