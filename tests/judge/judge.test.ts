import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { goodHistory } from './good-history.ts';
import { judgeHistory } from './judge.ts';

describe('The judge', () => {
  test('accepts every history that keeps the guarantees, whatever the order of its lines', () => {
    fc.assert(
      fc.property(goodHistory, fc.infiniteStream(fc.nat()), ({ events, final }, keys) => {
        const shuffled = events
          .map((event) => ({ event, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        expect(judgeHistory(shuffled, final).violations).toEqual([]);
      }),
    );
  });

  test('counts what happened', () => {
    const run = { userId: 'ada', seq: 1, fencingToken: 1, worker: 'one' };
    const { ok, counts } = judgeHistory(
      [
        { kind: 'accepted', userId: 'ada', seq: 1, at: 1 },
        { kind: 'refused', userId: 'ada', at: 2 },
        { kind: 'started', ...run, attempt: 1, at: 3 },
        { kind: 'ended', ...run, attempt: 1, outcome: 'retry', at: 4 },
        { kind: 'started', ...run, attempt: 2, at: 5 },
        { kind: 'ended', ...run, attempt: 2, outcome: 'done', at: 6 },
        { kind: 'fault', fault: 'worker-joined', at: 7 },
      ],
      {
        ledger: [
          { userId: 'ada', seq: 1, status: 'done', attempts: 2 },
          { userId: 'ada', seq: 2, status: 'abandoned', attempts: 0 },
        ],
        userQueues: [{ userId: 'ada', state: 'closed', accepted: 2, settled: 2 }],
        leftOverQueues: [],
      },
    );
    expect(ok).toBe(true);
    expect(counts).toEqual({
      users: 1,
      accepted: 1,
      refused: 1,
      runs: 2,
      repeats: 1,
      staleRuns: 0,
      faults: 1,
      done: 1,
      failed: 0,
      cancelled: 0,
      abandoned: 1,
    });
  });
});
