import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '../judge/history.ts';
import { drawHistory, rowsOf } from './picture.ts';

const userId = 'a-user-with-a-long-id';
const run = { userId, seq: 1, attempt: 1, fencingToken: 2, worker: 'a/1' };
const events: HistoryEvent[] = [
  { kind: 'accepted', userId, seq: 1, at: 1_000 },
  { kind: 'started', ...run, at: 2_000 },
  { kind: 'ended', ...run, outcome: 'failed', at: 4_000 },
  { kind: 'started', ...run, seq: 2, at: 5_000 },
  { kind: 'accepted', userId: 'another', seq: 1, at: 5_000 },
  { kind: 'fault', fault: 'worker-killed', target: '<a/1>', at: 6_000 },
  { kind: 'fault', fault: 'broker-restarted', at: 6_100, until: 8_000 },
];
const svg = drawHistory(events, { title: 'Chaos & order', startedAt: 0, endedAt: 10_000 });
/** 980 of the 1,100 pixels stand for ten seconds. */
const x = (at: number) => (90 + at * 0.098).toFixed(1);

describe('the picture of a history', () => {
  test('shows each run as a bar from its start to its end, in the color of its outcome', () => {
    expect(svg).toContain(`<rect x="${x(2_000)}" y="85.0" width="196.0" height="11" fill="#c0392b">`);
    expect(svg).toContain('1, attempt 1, token 2, a/1: failed');
  });

  test('shows a run without an end as one that died with its worker', () => {
    expect(svg).toContain('2, attempt 1, token 2, a/1: died with its worker');
  });

  test('has a row for each user and contains only valid SVG', () => {
    expect(svg.match(/>…/g)).toHaveLength(2);
    expect(svg).toContain('Chaos &amp; order');
    expect(svg).toContain('worker-killed &lt;a/1&gt;');
    expect(svg.match(/<(svg|g|text|rect|line|title)\b/g)?.length).toBe(svg.match(/<[a-z]+/g)?.length);
  });

  test('shows a fault as a vertical line through all rows, with a band while it lasts', () => {
    const lines = svg.split('\n').filter((line) => line.includes('stroke="#c0392b"'));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(`<line x1="${x(6_000)}" x2="${x(6_000)}"`);
    expect(lines[1]).toContain(`<rect x="${x(6_100)}"`);
  });

  test('draws no label over another label', () => {
    const label = (from: number) => ({ x: from, width: 100 });
    expect(rowsOf([label(0), label(50), label(90), label(100), label(150)])).toEqual([0, 1, 2, 0, 1]);
  });
});
