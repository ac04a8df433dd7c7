/** What `GET /lanes` answers, from what lanes and workers have recorded. */
import { describe, expect, test } from '@jest/globals';
import { describeLanes } from '../../lib/requests/lanes.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';

const hourMs = 3_600_000;

const openLanes = (count: number) => {
  const clock = new FakeClock(new Date('2030-01-01T12:00:00Z'));
  const stores = createMemoryStores();
  const ago = (ms: number) => new Date(clock.now().getTime() - ms);
  const beat = (workerId: string, lanes: number[]) =>
    stores.workers.report({ workerId, lanes, unresponsive: [], busy: lanes.map(() => 3), at: clock.now() });
  const look = () => describeLanes({ ...stores, clock, config: { lanes: count } });
  return { clock, lanes: stores.lanes, ago, beat, look };
};

describe('the lanes', () => {
  test('say who owns them since when, and which moves there were in the last hour, newest first', async () => {
    const { lanes, ago, beat, look, clock } = openLanes(3);
    await lanes.takeLease(0, 'a', ago(hourMs + 1));
    await lanes.takeLease(0, 'b', ago(hourMs));
    await lanes.takeLease(0, 'b', ago(5_000));
    await lanes.takeLease(1, 'a', ago(7_000));
    await beat('b', [0]);
    expect(await look()).toEqual({
      at: clock.now(),
      lanes: [
        { lane: 0, owner: 'b', busy: 3, since: ago(5_000), fencingToken: 3 },
        { lane: 1, busy: 0, since: undefined, fencingToken: 1 },
        { lane: 2, busy: 0, since: undefined, fencingToken: undefined },
      ],
      moves: [
        { at: ago(5_000), lane: 0, fencingToken: 3, from: 'b', to: 'b' },
        { at: ago(7_000), lane: 1, fencingToken: 1, from: undefined, to: 'a' },
        { at: ago(hourMs), lane: 0, fencingToken: 2, from: 'a', to: 'b' },
      ],
      moreMoves: 0,
    });
  });

  test('do not say since when a worker owns one that another worker took last', async () => {
    const { lanes, ago, beat, look } = openLanes(1);
    await lanes.takeLease(0, 'next', ago(10));
    await beat('before', [0]);
    expect((await look()).lanes).toMatchObject([{ owner: 'before', since: undefined }]);
  });

  test('say how many moves they leave out, with the newest first', async () => {
    const { lanes, ago, look } = openLanes(1_024);
    for (let lane = 0; lane < 1_024; lane += 1) await lanes.takeLease(lane, 'a', ago(10_000 - lane));
    const { moves, moreMoves } = await look();
    expect([moves.length, moreMoves, moves[0]?.lane, moves.at(-1)?.lane]).toEqual([1_000, 24, 1_023, 24]);
  });

  test('are read once a second, however many ask', async () => {
    const { lanes, clock, ago, look } = openLanes(1);
    const before = await look();
    await lanes.takeLease(0, 'a', ago(0));
    expect(await look()).toBe(before);
    clock.moveTo(1_000);
    expect((await look()).moves).toHaveLength(1);
  });
});
