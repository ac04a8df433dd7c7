/** Why a run failed: the log of the real consumer, with a processor of somebody's own. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, jest, test } from '@jest/globals';
import { runsSupportFile } from '../runs/support/support-file.ts';
import { openWorld, serversOf } from '../support/world.ts';
import { consumerScript, startCluster, supportFile } from './support/cluster.ts';

jest.setTimeout(60_000);

const warn = 40;

test('why a run failed = read the log: one line has the error with its stack and cause, the user, the seq and the attempt', async () => {
  await using world = await openWorld();
  await using cluster = startCluster(
    {
      ...serversOf(world),
      PROCESSOR: supportFile('failing-processor.ts'),
      MAX_ATTEMPTS: '2',
      RETRY_BASE_MS: '5',
      RETRY_MAX_MS: '20',
      WORKERS: '1',
    },
    consumerScript,
  );
  const user = await world.user();
  await world.enqueue(user, { amount: 5 });
  await world.enqueue(user, { hang: true }, undefined, { timeoutMs: 50, maxAttempts: 1 });
  const failed = { level: warn, msg: 'run failed', userId: user.userId };
  const last = await cluster.logged(({ msg, seq }) => msg === 'run failed' && seq === 2);
  const about = (seq: number) => cluster.lines.filter((line) => line.seq === seq && line.userId === user.userId);
  const err = {
    type: 'RangeError',
    message: 'the order has no price',
    stack: expect.stringContaining('failing-processor.ts:'),
    cause: expect.objectContaining({ type: 'TypeError', stack: expect.stringContaining('failing-processor.ts:') }),
  };
  expect(about(1)).toEqual([
    expect.objectContaining({ ...failed, attempt: 1, outcome: 'retry', ms: expect.any(Number), err }),
    expect.objectContaining({ ...failed, attempt: 2, outcome: 'failed', ms: expect.any(Number), err }),
  ]);
  expect(last).toMatchObject({ ...failed, outcome: 'failed', err: { type: 'RunTimeoutError' } });
  expect(about(2)).toMatchObject([{ level: warn, msg: 'run past its timeout', timeoutMs: 50 }, last]);
  // The stack is in the log and nowhere else.
  expect(JSON.stringify(await world.settled(user, 1, 20_000))).not.toContain('failing-processor');
});

test('an isolated run that fails is logged in the same way, by its process', async () => {
  const worker = spawn(process.execPath, [runsSupportFile('isolating-worker.ts'), JSON.stringify({ end: 'fail' })], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TEST_HANG_MS: '10000' },
  });
  const lines = (await text(worker.stdout)).split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []));
  expect(lines.filter(({ msg }) => msg)).toEqual([
    expect.objectContaining({
      role: 'isolated-run',
      level: warn,
      msg: 'run failed',
      userId: 'u1',
      seq: 4,
      err: expect.objectContaining({ message: 'an ordinary failure', stack: expect.stringContaining('fatal.ts:') }),
    }),
  ]);
});
