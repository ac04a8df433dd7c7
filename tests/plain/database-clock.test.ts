/** MongoDB's time, as processes on hosts with other clocks read it. */
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { clockToleranceMs, DatabaseClock, isAhead } from '../../lib/database-clock.ts';

const start = Date.UTC(2030, 0, 1);
const minuteMs = 60_000;

/** A host and MongoDB, whose times the test moves. `hostAheadMs`: how far the clock of the host is ahead of MongoDB's. */
const openHost = ({ hostAheadMs = 0, tripMs = 2 } = {}) => {
  const world = { ms: 0, hostAheadMs, databaseAheadMs: 0, tripMs };
  const time = new DatabaseClock({
    ...systemClock,
    now: () => new Date(start + world.ms + world.hostAheadMs),
    monotonicMs: () => 777 + world.ms,
  });
  const ask = async () => {
    world.ms += world.tripMs / 2;
    const answer = new Date(start + world.ms + world.databaseAheadMs);
    world.ms += world.tripMs / 2;
    return answer;
  };
  const measure = () => time.measure(ask);
  /** How far the time that the process reads is from MongoDB's. */
  const errorMs = () => time.clock.now().getTime() - (start + world.ms + world.databaseAheadMs);
  return { world, time, measure, errorMs };
};

describe('the time that a process reads', () => {
  test.each([minuteMs, -minuteMs])(
    'is that of MongoDB, although the clock of its host is %i ms ahead',
    async (ahead) => {
      const { world, measure, errorMs } = openHost({ hostAheadMs: ahead });
      expect(errorMs()).toBe(ahead);
      await measure();
      expect(errorMs()).toBe(0);
      world.ms += 10_000;
      expect(errorMs()).toBe(0);
    },
  );

  test.each([minuteMs, -minuteMs])('stays the same when the clock of its host is set by %i ms', async (ms) => {
    const { world, time, measure, errorMs } = openHost();
    await measure();
    expect(time.isDue()).toBe(false);
    world.hostAheadMs += ms;
    expect(errorMs()).toBe(0);
    expect(time.isDue()).toBe(true);
    await measure();
    expect([errorMs(), time.isDue()]).toEqual([0, false]);
  });

  test('follows the clock of MongoDB when that is set', async () => {
    const { world, time, measure, errorMs } = openHost();
    await measure();
    world.databaseAheadMs -= minuteMs;
    world.ms += 31_000;
    expect(time.isDue()).toBe(true);
    await measure();
    expect(errorMs()).toBe(0);
  });

  test('is measured again soon after a slow answer, which does not replace a better measurement', async () => {
    const { world, time, measure, errorMs } = openHost({ tripMs: 100 });
    await measure();
    world.ms += 31_000;
    world.tripMs = 4_000;
    const slow = time.measure(async () => {
      world.ms += 4_000;
      return new Date(start + world.ms);
    });
    await slow;
    expect(errorMs()).toBe(0);
    world.ms += 1_001;
    expect(time.isDue()).toBe(true);
  });

  test('is wrong by at most half of the trip of the first answer', async () => {
    const { world, time, errorMs } = openHost();
    await time.measure(async () => {
      world.ms += 4_000;
      return new Date(start + world.ms);
    });
    expect(Math.abs(errorMs())).toBeLessThanOrEqual(2_000);
  });

  test('is that of the host while MongoDB does not tell its time', async () => {
    const { time, errorMs } = openHost({ hostAheadMs: 5 });
    await time.measure(async () => undefined);
    expect([errorMs(), time.isDue()]).toEqual([5, false]);
  });
});

test('a stored time is ahead when it is later than the clocks of two processes may differ', () => {
  const now = new Date(start);
  expect(isAhead(new Date(start + clockToleranceMs), now)).toBe(false);
  expect(isAhead(new Date(start + clockToleranceMs + 1), now)).toBe(true);
});
