import { describe, expect, test } from '@jest/globals';
import { LiveWorkers } from '../../lib/lanes/live-workers.ts';

const open = () => {
  const clock = { ms: 0, monotonicMs: () => clock.ms };
  return { clock, live: new LiveWorkers(clock, 1_000) };
};
const beat = (at: number) => [{ workerId: 'w', lanes: [], at: new Date(at) }];

describe('a worker', () => {
  test('is alive while its heartbeat changes, and dead once it has not changed for long', () => {
    const { clock, live } = open();
    for (const ms of [0, 900, 1_800]) {
      clock.ms = ms;
      live.note(beat(ms));
    }
    clock.ms = 2_800;
    live.note(beat(1_800));
    expect(live.isAlive('w')).toBe(true);
    clock.ms = 2_801;
    expect(live.isAlive('w')).toBe(false);
    live.note(beat(2_801));
    expect(live.isAlive('w')).toBe(true);
  });

  test.each([
    ['hours ahead', 7_200_000],
    ['long past', -7_200_000],
  ])('is alive whose heartbeats are %s, because the clock of MongoDB was set', (_what, offset) => {
    const { clock, live } = open();
    live.note(beat(0));
    clock.ms = 900;
    live.note(beat(offset));
    clock.ms = 1_800;
    expect(live.isAlive('w')).toBe(true);
  });

  test('that was never seen gets its time from when it is first asked about', () => {
    const { clock, live } = open();
    clock.ms = 5_000;
    expect(live.isAlive('w')).toBe(true);
    clock.ms = 6_001;
    live.note([]);
    expect(live.isAlive('w')).toBe(false);
  });

  test('whose heartbeat is gone gets its time too: it may only be late with the next one', () => {
    const { clock, live } = open();
    live.note(beat(0));
    clock.ms = 900;
    live.note([]);
    expect(live.isAlive('w')).toBe(true);
  });
});
