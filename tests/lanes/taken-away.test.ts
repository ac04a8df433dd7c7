/** With a short `FROZEN_AFTER_MS`, workers take the lanes of one that stands still away. */
import { expect, jest, test } from '@jest/globals';
import { readableLog } from '../support/log-lines.ts';
import { eventually, openWorld } from '../support/world.ts';

jest.setTimeout(60_000);

const run = async () => ({ kind: 'done' as const, result: 'null' });
const isTaking = ({ msg }: { msg: string }) => msg.startsWith('took the lanes of a worker that stands still');

test('a worker whose heartbeat stops loses its lanes, which it learns at once, and its users are served', async () => {
  await using world = await openWorld();
  const { lanes } = world.config;
  // It hands no lane over by itself.
  const config = { frozenAfterMs: 2_000, balanceMs: 600_000 };
  const { workers } = world.stores;
  const held = new Set<number>();
  const lost: number[] = [];
  let isSilent = false;
  const report: typeof workers.report = async (heartbeat) => {
    if (!isSilent) await workers.report(heartbeat);
  };
  const observer = {
    laneTaken: ({ lane }: { lane: number }) => void held.add(lane),
    laneReleased: ({ lane, reason }: { lane: number; reason: string }) => void (reason === 'lost' && lost.push(lane)),
  };
  world.work(run, { config, observer, stores: { workers: { ...workers, report } } });
  await eventually('it owns every lane, and says so', async () => {
    const [heartbeat] = await workers.all();
    return held.size === lanes && heartbeat?.lanes.length === lanes;
  });
  isSilent = true;
  const user = await world.user();
  await world.enqueue(user, 1);
  const { log, lines } = readableLog();
  world.work(run, { config, log });

  await eventually('the other worker took its lanes', () => lines.find(isTaking), 30_000);
  await eventually('it has lost them', () => lost.length >= lanes, 30_000);
  await world.enqueue(user, 2);
  expect((await world.settled(user, 2, 30_000)).status).toBe('done');
  expect([...(await world.stores.lanes.leases([...held])).values()].every((lease) => lease >= 2)).toBe(true);
});
