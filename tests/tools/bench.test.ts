import { describe, expect, test } from '@jest/globals';
import { difference, parseBrokerAnswer } from '../../tools/bench/counts.ts';
import { closedLoop, openLoop } from '../../tools/bench/load.ts';
import { describeBurst, describeLatencies, percentile } from '../../tools/bench/report.ts';

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

describe('the figures', () => {
  test('are measured values: the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  const calls = [
    { dueAt: 1_000, answeredAt: 1_004, acceptedAt: 1_002, runAt: 1_010, settledAt: 1_400 },
    { dueAt: 1_005, answeredAt: 1_200, acceptedAt: 1_100, runAt: 1_105, settledAt: 1_250 },
  ];
  const counts = { statements: { 'command insert': 1, updates: 2.5 }, brokerOperations: { acked: 1, deleted: 0.0001 } };
  const measured = { startedAt: 1_000, calls, ...counts };

  test('of a burst count to the last answer and the last settlement, and are compared with the bare servers', () => {
    const bare = { insertOne: 1, findOneAndUpdate: 1, 'confirmed publish': 1, 'all three': 20 };
    expect(describeBurst('over HTTP', measured, bare).split('\n')).toEqual([
      '2 requests over HTTP, 64 in flight',
      '  accepted             10/s of 2, 0.50 of the bare servers',
      '  end to end           5/s of 2, 0.25 of the bare servers',
      '  database statements  1.00 (command insert 1.000) per request, with 2.50 updates in them',
      '  broker operations    1.00 (acked 1.000) per request',
    ]);
  });

  test('of the latency count from the time when a call was due, and from its acceptance', () => {
    expect(describeLatencies('200/s', measured).split('\n')).toEqual([
      '200/s; 2 requests',
      '  accepted to started  p50 5.0 ms, p99 8.0 ms',
      '  due to started       p50 10.0 ms, p99 100.0 ms',
      '  due to answered      p50 4.0 ms, p99 195.0 ms',
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
