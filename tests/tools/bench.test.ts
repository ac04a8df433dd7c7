import { describe, expect, test } from '@jest/globals';
import { parseBrokerAnswer } from '../../tools/bench/counts.ts';
import { percentile } from '../../tools/bench/figures.ts';
import { closedLoop, openLoop } from '../../tools/bench/load.ts';
import { type CpuProfile, categoryOf, describeSummary, summarise } from '../../tools/bench/profile.ts';
import { describeBurst } from '../../tools/bench/report.ts';

/** A clock that moves only when somebody waits, or when it is pushed. */
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
  test('of an open loop starts at its rate, whatever becomes of the calls', async () => {
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

  test('of an open loop counts a stall against every call that came due in it', async () => {
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

  test('of a closed loop never has more calls under way than it may, and makes each once', async () => {
    const seen: number[] = [];
    let underWay = 0;
    let most = 0;
    const made = await closedLoop({ count: 20, inFlight: 4 }, async (index) => {
      seen.push(index);
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
    });
    expect(made).toBe(20);
    expect(most).toBe(4);
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('of a closed loop starts nothing after its time, and tells how much it started', async () => {
    const clock = handClock();
    const seen: number[] = [];
    const load = { count: 100, inFlight: 1, limitMs: 30 };
    const call = async (index: number) => {
      seen.push(index);
      clock.push(10);
    };
    expect(await closedLoop(load, call, clock.now)).toBe(3);
    expect(seen).toEqual([0, 1, 2]);
  });

  test('of a closed loop ends with the first failure', async () => {
    const failing = closedLoop({ count: 10, inFlight: 2 }, async (index) => {
      if (index === 3) throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
  });
});

describe('the figures', () => {
  test('are values that were measured: the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('of a burst say of how many requests they are, and when it was cut off', () => {
    const rates = { acceptedPerSecond: 50, endToEndPerSecond: 40 };
    const burst = { ...rates, requests: 6_400, planned: 10_000, statements: { insert: 1 }, brokerOperations: {} };
    const bare = { loop: { ...rates, requests: 4_000 } };
    const text = describeBurst('over HTTP', burst, bare);
    expect(text).toMatch(/^6,400 requests over HTTP.* cut off: 10,000 were planned/);
    expect(text).toMatch(/accepted +50\/s +of 6,400 +1\.00/);
    expect(describeBurst('by calls', { ...burst, requests: 10_000 }, bare)).not.toContain('cut off');
  });

  test('of the broker are refused when it gave none', () => {
    expect(parseBrokerAnswer('[1,2,3,4,5,6,7]ok')).toMatchObject({ published: 1, acked: 5, deleted: 7 });
    expect(() => parseBrokerAnswer('[1,2]ok')).toThrow('[1,2]ok');
  });
});

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

describe('the profile', () => {
  test.each([
    [frame('serialize', 'file:///app/node_modules/bson/lib/bson.cjs'), 'MongoDB driver and mongoose'],
    [frame('sendMethod', '/app/node_modules/amqplib/lib/connection.js'), 'amqplib'],
    [frame('verify', 'file:///app/node_modules/jws/lib/verify-stream.js'), 'packages'],
    [frame('onStreamRead', 'node:internal/stream_base_commons'), 'net, streams'],
    [frame('advance', 'file:///home/lib/lanekeeper/lib/lanes/user-work.ts'), 'ours: lib/lanes'],
    [frame('now', 'file:///app/lib/clock.ts'), 'ours: lib/clock'],
    [frame('handler', 'file:///app/functions/enqueue.ts'), 'ours: functions'],
    [frame('parse'), 'JSON'],
    [frame('(garbage collector)'), 'garbage collection'],
    [frame('writev'), 'native code'],
  ])('knows whose code %j is', (given, category) => {
    expect(categoryOf(given)).toContain(category);
  });

  test('counts a sample up to the next one, and idle time apart', () => {
    const profile: CpuProfile = {
      nodes: [
        { id: 1, callFrame: frame('(idle)') },
        { id: 2, callFrame: frame('advance', 'file:///app/lib/lanes/user-work.ts', 9) },
        { id: 3, callFrame: frame('serialize', 'file:///app/node_modules/bson/lib/bson.cjs', 4_775) },
      ],
      samples: [1, 2, 3, 2, 1],
      timeDeltas: [500, 7_000, 1_000, 3_000, 1_000],
    };
    const summary = summarise([profile, profile]);
    expect(summary.idleMs).toBe(14);
    expect(summary.busyMs).toBe(10);
    expect(summary.categories).toEqual([
      ['MongoDB driver and mongoose', 6],
      ['ours: lib/lanes', 4],
    ]);
    const text = describeSummary('a worker', summary);
    expect(text).toContain('serialize node_modules/bson/lib/bson.cjs:4776');
    expect(text).toMatch(/ours: lib\/lanes +40\.0 %/);
  });
});
