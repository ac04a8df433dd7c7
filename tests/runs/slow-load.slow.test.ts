/** Processors that take long to import, in a real consumer and in real isolated processes. */
import { describe, expect, jest, test } from '@jest/globals';
import { consumerScript, type LogLine, startCluster } from '../consumer/support/cluster.ts';
import { openWorld, serversOf, type World } from '../support/world.ts';
import { isolate } from './support/isolate.ts';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(120_000);

const blocking = runsSupportFile('processors/blocking-import.ts');
const endless = runsSupportFile('processors/endless-import.ts');
const notYet = 'the processor has not loaded yet: ';
const place = runsSupportFile('processors/blocking-library.ts:2');
const namesTheModule = (line: LogLine) => line.msg === `${notYet}its import runs ${place}`;
const saysThatItWaits = (line: LogLine) => line.msg === `${notYet}it waits, as at a top-level await`;
const killed = (line: LogLine) => line.msg === 'killing a worker whose processor did not load within START_TIMEOUT_MS';

const startConsumer = (world: World, env: Record<string, string>) =>
  startCluster(
    {
      ...serversOf(world),
      WORKERS: '1',
      WORKER_HANG_MS: '1000',
      ...env,
    },
    consumerScript,
  );

describe('a worker', () => {
  test('is not killed while an import blocks it for twice WORKER_HANG_MS; the log names the module', async () => {
    await using world = await openWorld();
    const env = { PROCESSOR: blocking, WORKER_HANG_MS: '3000', TEST_BLOCK_MS: '8000', START_TIMEOUT_MS: '40000' };
    await using cluster = startConsumer(world, env);
    expect(await cluster.logged(namesTheModule)).toMatchObject({
      level: 40,
      role: 'worker',
      processor: blocking,
      place,
    });
    const user = await world.user();
    await world.enqueue(user, 'after the import');
    expect(await world.settled(user, 1, 60_000)).toMatchObject({ status: 'done', attempts: 1 });
    expect(cluster.workerPids()).toHaveLength(1);
  });

  test.each([
    ['blocks its event loop', blocking, namesTheModule],
    ['waits', endless, saysThatItWaits],
  ])('is killed after START_TIMEOUT_MS when the import never ends and %s', async (_how, processor, warning) => {
    await using world = await openWorld();
    await using cluster = startConsumer(world, { PROCESSOR: processor, START_TIMEOUT_MS: '12000' });
    expect(await cluster.logged(killed)).toMatchObject({ level: 50, processor, startTimeoutMs: 12_000 });
    await cluster.logged(warning);
    expect(await cluster.logged(({ msg }) => msg === 'worker exited')).toMatchObject({ reason: 'never-came-up' });
    await cluster.logged(({ msg }) => msg === 'worker started', 2);
  });

  test('is still killed when its event loop hangs after the import', async () => {
    await using world = await openWorld();
    await using cluster = startConsumer(world, { PROCESSOR: runsSupportFile('processors/fatal.ts') });
    await world.enqueue(await world.user(), { end: 'loop' });
    expect(await cluster.logged(({ msg }) => msg === 'worker exited')).toMatchObject({ reason: 'hung' });
  });
});

describe('an isolated process', () => {
  const quiet = { LOG_LEVEL: 'silent', PROCESSOR: blocking };

  test('is not killed while an import blocks it for three times WORKER_HANG_MS', async () => {
    const { run } = isolate({ workerHangMs: 600 }, {}, { ...quiet, TEST_BLOCK_MS: '1800' });
    expect(await run('the request')).toEqual({ kind: 'done', result: '"the request"' });
  });

  test('is killed after START_TIMEOUT_MS when the import never ends, and no crash is counted', async () => {
    const { run, observed } = isolate({ startTimeoutMs: 1_500 }, {}, quiet);
    expect(await run('the request')).toMatchObject({
      kind: 'retry',
      error: { message: expect.stringContaining('did not load within START_TIMEOUT_MS') },
    });
    expect(observed).toEqual([1, -1]);
  });
});
