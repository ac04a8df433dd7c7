/** A worker as the consumer composes it, in this process, on real servers. */
import { expect, jest, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { startWorkerTask } from '../../lib/compose/worker.ts';
import { runsSupportFile } from '../runs/support/support-file.ts';
import { eventually, openWorld, silentObserver } from '../support/world.ts';

jest.setTimeout(30_000);

const isolationObserver = { started: () => undefined, ended: () => undefined, rejected: () => undefined };

test('a worker task runs requests, reports its snapshot, and leaves its lanes when it stops', async () => {
  await using world = await openWorld();
  const config = { ...world.config, processor: runsSupportFile('processors/waiting.ts') };
  const { log } = world.deps;
  const task = await startWorkerTask({
    config,
    clock: systemClock,
    log,
    env: process.env,
    observer: silentObserver,
    isolationObserver,
  });
  try {
    await eventually('all lanes are owned', () => task.snapshot().lanesOwned === config.lanes);
    const user = await world.user();
    await world.enqueue(user, {});
    expect(await world.settled(user, 1)).toMatchObject({ status: 'done', result: '{"seq":1,"attempt":1}' });
    expect(task.snapshot().usersLoaded).toBe(1);
  } finally {
    await task.stop();
  }
  expect(await world.laneConsumers(0)).toBe(0);
});
