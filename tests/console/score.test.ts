/** What "Try it" finds in a race, and that it finds what is wrong. */
import { expect, test } from '@jest/globals';
import { Score, type Settled } from '../../console/try-it/score.ts';

const second = (at: number): string => new Date(1_700_000_000_000 + at * 1_000).toISOString();

/** Accepted at 0; it runs for a second and is settled at `at`. */
const settled = (seq: number, at: number, other: Partial<Settled> = {}): Settled => ({
  ...{ seq, status: 'done', attempts: 1 },
  ...{ acceptedAt: second(0), startedAt: second(at - 1), settledAt: second(at) },
  ...other,
});

/** Three requests are accepted, and these are settled. */
const scoreOf = (...requests: Settled[]): Score => {
  const score = new Score();
  score.accept([1, 2, 3]);
  for (const request of requests) score.note('settled', request);
  score.end();
  return score;
};

const [first, next, last] = [settled(1, 1), settled(2, 2), settled(3, 3)];

test('requests that are settled in their order, one at a time, have no fault', () => {
  const score = scoreOf(first, { ...next, status: 'failed' }, { ...last, attempts: 2 });
  expect(score.faults).toEqual([]);
  expect(score).toMatchObject({ accepted: 3, settled: 3, done: 2, again: 1, longestMs: 1_000 });
  expect(score.marks).toEqual([
    { seq: 1, isGood: true, attempts: 1 },
    { seq: 2, isGood: true, attempts: 1 },
    { seq: 3, isGood: true, attempts: 2 },
  ]);
});

test('an event may come before the answer that accepts its request, and a failed ticket leaves a gap', () => {
  const score = new Score();
  score.note('settled', settled(1, 1));
  score.accept([1, 3]);
  score.note('settled', settled(3, 2));
  score.end();
  expect(score.faults).toEqual([]);
});

test.each([
  ['lost', [first, next], [{ seq: 3, text: 'was accepted and never settled' }]],
  ['settled twice', [first, first, next, last], [{ seq: 1, text: 'was settled twice' }]],
  [
    'overtaken',
    [first, last, settled(2, 4)],
    [
      { seq: 2, text: 'was overtaken by request 3' },
      { seq: 2, text: 'was settled after request 3' },
    ],
  ],
  [
    'running beside another one',
    [first, settled(2, 1.5), last],
    [{ seq: 2, text: 'started before request 1 was settled' }],
  ],
  ['not sent by anybody', [first, next, last, settled(4, 4)], []],
])('a request that was %s is a fault', (_what, requests, faults) => {
  const score = scoreOf(...requests);
  expect(score.faults).toEqual(expect.arrayContaining(faults));
  expect(score.faults.length).toBeGreaterThan(0);
});

test('a request that holds its user is named, until it goes on', () => {
  const score = new Score();
  score.note('accepted', settled(1, 1));
  expect(score.trouble).toBeUndefined();
  score.note('blocked', { ...settled(1, 1), error: { name: 'Error', message: 'card declined' } });
  score.note('accepted', settled(2, 2));
  expect(score.trouble).toBe('Request 1 is blocked: card declined');
  score.note('started', settled(1, 1));
  expect(score.trouble).toBeUndefined();
});

test('a pause lasts from the last settlement, or from when there was something to do', () => {
  const score = new Score();
  score.note('settled', settled(1, 1, { acceptedAt: second(0.5) }));
  expect(score.longestMs).toBe(500);
  score.watchFrom(Date.parse(second(2)));
  score.note('settled', settled(2, 5));
  score.note('settled', settled(3, 60, { acceptedAt: second(59) }));
  expect(score).toMatchObject({ longestMs: 4_000, longestSinceMs: 4_000 });
});
