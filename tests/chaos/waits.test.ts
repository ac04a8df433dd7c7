import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '../judge/history.ts';
import { type Compared, shortfallsOf, summarize, waitsOf } from './waits.ts';

const userId = 'ann';
const everything = { userIds: new Set([userId]), from: 0, until: 100_000 };

const sent = (seq: number, sentAt: number): HistoryEvent => ({ kind: 'accepted', userId, seq, sentAt, at: sentAt + 5 });
const run = (
  seq: number,
  from: number,
  to: number | undefined,
  { attempt = 1, worker = 'w', outcome = 'done' as 'done' | 'aborted' } = {},
): HistoryEvent[] => {
  const about = { userId, seq, attempt, fencingToken: 1, worker };
  const end = to === undefined ? [] : [{ kind: 'ended' as const, ...about, outcome, at: to }];
  return [{ kind: 'started', ...about, at: from }, ...end];
};
const killed = (target: string, at: number): HistoryEvent => ({ kind: 'fault', fault: 'worker-killed', target, at });

const waits = (...events: (HistoryEvent | HistoryEvent[])[]) => waitsOf(events.flat(), everything);

describe('the wait of a request', () => {
  test('lasts from when it was sent to its start', () => {
    expect(waits(sent(1, 100), run(1, 130, 200))).toEqual([30]);
  });

  test('does not include the runs of earlier requests of its user', () => {
    expect(waits(sent(1, 100), sent(2, 110), run(1, 120, 900), run(2, 905, 910))).toEqual([5, 20]);
  });

  test('includes the time between a run that was aborted and the next one', () => {
    const aborted = run(1, 100, 400, { outcome: 'aborted' });
    expect(waits(sent(1, 100), aborted, run(1, 950, 990, { attempt: 2 }))).toEqual([550]);
  });

  test('includes the time between the death of its worker and the next run', () => {
    const events = [run(1, 110, undefined, { worker: 'dead' }), killed('dead', 500), run(1, 800, 900, { attempt: 2 })];
    expect(waits(sent(1, 100), ...events)).toEqual([310]);
  });

  test('includes all of a run that vanished without a reason', () => {
    expect(waits(sent(1, 100), run(1, 110, undefined), run(1, 800, 900, { attempt: 2 }))).toEqual([700]);
  });

  test('is infinite when the request never started', () => {
    expect(waits(sent(1, 100))).toEqual([Number.POSITIVE_INFINITY]);
  });
});

test('only the requests of the counted users that were sent in the counted time count', () => {
  const events = [sent(1, 100), sent(2, 200), run(1, 101, 102), run(2, 203, 204)].flat();
  expect(waitsOf(events, { ...everything, from: 150 })).toEqual([3]);
  expect(waitsOf(events, { ...everything, until: 200 })).toEqual([1]);
  expect(waitsOf(events, { ...everything, userIds: new Set(['bob']) })).toEqual([]);
});

test('a summary has the 99th percentile and the worst', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1.2);
  expect(summarize(hundred)).toEqual({ requests: 100, p99Ms: 99, worstMs: 100 });
  expect(summarize([])).toEqual({ requests: 0, p99Ms: 0, worstMs: 0 });
});

describe('a comparison', () => {
  const good: Compared = {
    control: { requests: 500, p99Ms: 20, worstMs: 100 },
    disturbed: { requests: 500, p99Ms: 300, worstMs: 1_100 },
    limitMs: 1_000,
    happened: 1,
  };
  const shortfalls = (change: Partial<Compared['disturbed']>, rest: Partial<Compared> = {}) =>
    shortfallsOf({ ...good, ...rest, disturbed: { ...good.disturbed, ...change } });

  test('has no shortfall exactly at its limit', () => {
    expect(shortfalls({})).toEqual([]);
  });

  test('falls short when a user waited longer than the limit allows, or forever', () => {
    expect(shortfalls({ worstMs: 1_101 })).toEqual(['too late']);
    expect(shortfalls({ worstMs: Number.POSITIVE_INFINITY })).toEqual(['a request never started', 'too late']);
  });

  test('falls short when the situation did not come about, or when it says little', () => {
    expect(shortfalls({}, { happened: 0 })).toEqual(['it did not happen']);
    expect(shortfalls({ requests: 499 })).toEqual(['fewer than 500 requests']);
  });
});
