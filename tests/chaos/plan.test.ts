import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chaosFaults, clusterFaults, minute, planFaults } from './plan.ts';
import { seededRandom } from './random.ts';

const options = fc.record({
  seed: fc.integer({ min: 0 }),
  durationMs: fc.integer({ min: 10_000, max: 1_800_000 }),
  everyMs: fc.integer({ min: 500, max: 10_000 }),
});

describe('a plan of faults', () => {
  test('is the same for the same seed, and different for another seed', () => {
    const plan = (seed: number) => planFaults({ seed, durationMs: 300_000, everyMs: 4_000 });
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  test('lies within the run, is sorted by time, and has the requested frequency', () => {
    fc.assert(
      fc.property(options, (given) => {
        const plan = planFaults(given);
        const times = plan.map(({ atMs }) => atMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(Math.min(...times)).toBeGreaterThan(0);
        expect(Math.max(...times)).toBeLessThan(given.durationMs);
        const expected = given.durationMs / given.everyMs;
        expect(plan.length).toBeGreaterThanOrEqual(Math.floor(expected / 1.5) - 1);
        expect(plan.length).toBeLessThanOrEqual(Math.ceil(expected * 2) + 1);
      }),
    );
  });

  test('has every kind of fault once before any kind comes again', () => {
    const plan = planFaults({ seed: 3, durationMs: 600_000, everyMs: 2_000 });
    const first = plan.slice(0, chaosFaults.length).map(({ fault }) => fault);
    expect(first.toSorted()).toEqual(chaosFaults.toSorted());
  });

  test('of the minute in npm test has each of its kinds', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const planned = planFaults({ seed, ...minute }).map(({ fault }) => fault);
      expect([...new Set(planned)].toSorted()).toEqual(minute.only.toSorted());
    }
  });

  test('for a cluster hits nodes, and never the whole of RabbitMQ', () => {
    expect(chaosFaults.filter((fault) => fault.startsWith('node'))).toEqual([]);
    expect(clusterFaults.filter((fault) => /^(broker|queues|permission)/.test(fault))).toEqual([]);
    expect(clusterFaults).toEqual(
      expect.arrayContaining(['node killed', 'node frozen', 'node cut off', 'worker killed']),
    );
  });

  test('has only the requested kinds, and is empty when no kind is requested', () => {
    const of = (...only: (typeof chaosFaults)[number][]) =>
      new Set(planFaults({ seed: 3, durationMs: 60_000, everyMs: 500, only }).map(({ fault }) => fault));
    expect(of('worker killed', 'api killed')).toEqual(new Set(['worker killed', 'api killed']));
    expect(of()).toEqual(new Set());
  });
});

test('seeded random numbers stay within their bounds, reach both bounds, and fork into other numbers', () => {
  const random = seededRandom(1);
  const drawn = Array.from({ length: 2_000 }, () => random.between(3, 9));
  expect(new Set(drawn)).toEqual(new Set([3, 4, 5, 6, 7, 8, 9]));
  expect(random.fork().next()).not.toBe(random.next());
  expect(() => random.pick([])).toThrow('empty list');
  expect(random.some([1, 2, 3], 5).toSorted()).toEqual([1, 2, 3]);
  expect(new Set(random.some([1, 2, 3], 2)).size).toBe(2);
});
