import { describe, expect, test } from '@jest/globals';
import { HeardWorkers } from '../../lib/lanes/heard-workers.ts';

const open = () => {
  const clock = { ms: 0, monotonicMs: () => clock.ms };
  return { clock, heard: new HeardWorkers(clock) };
};
const beat = (workerId: string, at: number, lanes: number[] = []) => ({
  workerId,
  lanes,
  unresponsive: [],
  at: new Date(at),
});

describe('a worker', () => {
  test('is alive while its heartbeat changes, and dead once it has not changed for long', () => {
    const { clock, heard } = open();
    for (const ms of [0, 900, 1_800]) {
      clock.ms = ms;
      heard.note([beat('w', ms)]);
    }
    clock.ms = 2_800;
    heard.note([beat('w', 1_800)]);
    expect(heard.isAlive('w', 1_000)).toBe(true);
    clock.ms = 2_801;
    expect(heard.isAlive('w', 1_000)).toBe(false);
    heard.note([beat('w', 2_801)]);
    expect(heard.isAlive('w', 1_000)).toBe(true);
  });

  test.each([
    ['hours ahead', 7_200_000],
    ['long past', -7_200_000],
  ])('is alive whose heartbeats are %s, because the clock of MongoDB was set', (_what, offset) => {
    const { clock, heard } = open();
    heard.note([beat('w', 0)]);
    clock.ms = 900;
    heard.note([beat('w', offset)]);
    clock.ms = 1_800;
    expect(heard.alive(1_000).map(({ workerId }) => workerId)).toEqual(['w']);
  });

  test('that was never heard of gets its time from when it is first asked about', () => {
    const { clock, heard } = open();
    clock.ms = 5_000;
    expect(heard.isAlive('w', 1_000)).toBe(true);
    clock.ms = 6_001;
    heard.note([]);
    expect(heard.isAlive('w', 1_000)).toBe(false);
  });

  test('whose heartbeat is gone keeps its time, because its runs may go on, but is not named any more', () => {
    const { clock, heard } = open();
    heard.note([beat('w', 0)]);
    clock.ms = 900;
    heard.note([]);
    expect(heard.isAlive('w', 1_000)).toBe(true);
    expect(heard.alive(1_000)).toEqual([]);
  });
});

describe('lanes without an owner', () => {
  test('are not known before the first heartbeats were read', () => {
    expect(open().heard.lanesWithoutOwner(2, [])).toBeUndefined();
  });

  test('are those that neither this worker owns nor the heartbeat of another one names', () => {
    const { heard } = open();
    heard.note([beat('a', 0, [0]), beat('b', 0, [2, 9])]);
    expect(heard.lanesWithoutOwner(5, [3])).toEqual([1, 4]);
  });

  test('are also those of a worker whose heartbeat has not changed for 5 s', () => {
    const { clock, heard } = open();
    heard.note([beat('a', 0, [0])]);
    clock.ms = 5_000;
    heard.note([beat('a', 0, [0])]);
    expect(heard.lanesWithoutOwner(1, [])).toEqual([]);
    clock.ms = 5_001;
    expect(heard.lanesWithoutOwner(1, [])).toEqual([0]);
    heard.note([beat('a', 1, [0])]);
    expect(heard.lanesWithoutOwner(1, [])).toEqual([]);
  });

  test('are all but those of this worker while heartbeats cannot be read', () => {
    const { clock, heard } = open();
    heard.note([beat('a', 0, [0])]);
    clock.ms = 5_001;
    expect(heard.lanesWithoutOwner(2, [1])).toEqual([0]);
  });
});
