import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createBatches } from '../../bench/batches.ts';
import { own, peers } from '../../bench/contenders.ts';
import { difference, parseBrokerAnswer } from '../../bench/counts.ts';
import { atLeast, atMost, median, percentile, spread, targetTable } from '../../bench/figures.ts';
import { isClean, judge } from '../../bench/judge.ts';
import { closedLoop, openLoop } from '../../tools/load.ts';

/** A clock that moves only during a wait, or when it is pushed. */
const handClock = () => {
  let now = 1_000;
  return {
    now: () => now,
    wait: async (ms: number) => {
      now += ms;
    },
    push: (ms: number) => {
      now += ms;
    },
  };
};

describe('the load', () => {
  test('of an open loop starts calls at its rate, even when none is answered', async () => {
    const clock = handClock();
    const started: number[] = [];
    const pending = Promise.withResolvers<void>();
    const loop = openLoop(
      { ratePerSecond: 200, count: 5 },
      (index) => {
        started.push(clock.now() - 1_000);
        if (index === 4) pending.resolve();
        return pending.promise;
      },
      clock,
    );
    await loop;
    expect(started).toEqual([0, 5, 10, 15, 20]);
  });

  test('of an open loop counts a stall for every call that came due during it', async () => {
    const clock = handClock();
    const waits: number[] = [];
    await openLoop(
      { ratePerSecond: 100, count: 5 },
      async (index, dueAt) => {
        waits.push(clock.now() - dueAt);
        if (index === 0) clock.push(35);
      },
      clock,
    );
    expect(waits).toEqual([0, 25, 15, 5, 0]);
  });

  test('of a closed loop keeps to its number of calls under way, and makes each call once', async () => {
    const seen: number[] = [];
    let underWay = 0;
    let most = 0;
    await closedLoop({ count: 20, inFlight: 4 }, async (index) => {
      seen.push(index);
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
    });
    expect(most).toBe(4);
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('of a closed loop rejects with the first failure', async () => {
    const failing = closedLoop({ count: 10, inFlight: 2 }, async (index) => {
      if (index === 3) throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
  });
});

describe('the judge', () => {
  const sent = (user: number, n: number, calledAt: number, answeredAt: number) => ({
    ...{ user, n, calledAt, answeredAt },
    dueAt: calledAt,
  });
  const run = (user: number, n: number, startedAt: number, endedAt = startedAt + 1) => ({
    ...{ user, n, startedAt, endedAt },
    worker: 1,
  });
  const jobs = [sent(1, 0, 0, 10), sent(1, 1, 20, 30), sent(2, 0, 0, 10)];

  test('finds nothing wrong with users who are served in order, each at its own pace', () => {
    const verdict = judge(jobs, [run(2, 0, 15), run(1, 1, 41), run(1, 0, 40)]);
    expect(verdict).toEqual({ lost: 0, duplicates: 0, inversions: 0, overlaps: 0 });
    expect(isClean(verdict)).toBe(true);
  });

  test.each([
    ['a job that never ran', [run(1, 0, 40), run(2, 0, 15)], { lost: 1 }],
    ['a job that ran twice', [run(1, 0, 40), run(1, 1, 41), run(1, 0, 50), run(2, 0, 15)], { duplicates: 1 }],
    ['a job that overtook another', [run(1, 1, 40), run(1, 0, 41), run(2, 0, 15)], { inversions: 1 }],
    ['two runs of a user at once', [run(1, 0, 40, 50), run(1, 1, 49), run(2, 0, 15)], { overlaps: 1 }],
  ])('counts %s', (_, runs, found) => {
    const verdict = judge(jobs, runs);
    expect(verdict).toEqual({ lost: 0, duplicates: 0, inversions: 0, overlaps: 0, ...found });
    expect(isClean(verdict)).toBe(false);
  });

  test('knows no order of two jobs that were sent at the same time', () => {
    const together = [sent(1, 0, 0, 30), sent(1, 1, 20, 25)];
    expect(judge(together, [run(1, 1, 40), run(1, 0, 41)])).toMatchObject({ inversions: 0 });
  });
});

describe('the batches of the bare loop', () => {
  test('take what comes while a batch is under way into the next one, and give each its own result', async () => {
    const seen: number[][] = [];
    const first = Promise.withResolvers<void>();
    const double = createBatches(async (items: number[]) => {
      seen.push(items);
      if (seen.length === 1) await first.promise;
      return items.map((item) => item * 2);
    });
    const results = [double(1)];
    await sleep(0);
    results.push(double(2), double(3));
    first.resolve();
    expect(await Promise.all(results)).toEqual([2, 4, 6]);
    expect(seen).toEqual([[1], [2, 3]]);
  });

  test('reject all of a batch that fails, and go on', async () => {
    let fails = true;
    const send = createBatches(async (items: number[]) => {
      if (fails) throw new Error('refused');
      return items;
    });
    await expect(send(1)).rejects.toThrow('refused');
    fails = false;
    expect(await send(2)).toBe(2);
  });
});

describe('the figures', () => {
  test('are measured values: the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('are medians with what lies around them', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([1, 2])).toBe(1.5);
    expect(spread([1_234, 999, 2_000])).toBe('1,234 (999..2,000)');
    expect(spread([0.456])).toBe('0.46');
    expect(spread([])).toBe('-');
  });

  test('are compared with their targets by the median', () => {
    const targets = [
      atLeast('ratio', [0.5, 0.8, 0.9], 0.7),
      atMost('worst', [310], 300, ' ms'),
      atMost('missing', [], 1),
    ];
    expect(targetTable(targets).split('\n').slice(2)).toEqual([
      '| ratio | 0.80 (0.50..0.90) | at least 0.70 | met |',
      '| worst | 310 ms | at most 300 ms | not met |',
      '| missing | - | at most 1.00 | not measured |',
    ]);
  });

  test('of the servers are differences for each request', () => {
    expect(difference({ a: 30, b: 5 }, { a: 10 }, 10)).toEqual({ a: 2, b: 0.5 });
  });

  test('of the broker are refused when it gives none', () => {
    expect(parseBrokerAnswer('[1,2,3,4,5,6,7]ok')).toMatchObject({ published: 1, acked: 5, deleted: 7 });
    expect(() => parseBrokerAnswer('[1,2]ok')).toThrow('[1,2]ok');
  });
});

test('every contender has a name of its own, and says how durable it is', () => {
  const all = [...own, ...peers];
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { durability } of all) expect(durability('fsync').length).toBeGreaterThan(20);
});
