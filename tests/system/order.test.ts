/** The main purpose of Lanekeeper, tested with real processes and judged by the recorded history. */
import { expect, test } from '@jest/globals';
import { judgeHistory } from '../judge/judge.ts';
import { eventually } from '../support/world.ts';
import { monotonicMs } from './monotonic.ts';
import { type Client, openSystem } from './system.ts';

const running = (line: { msg?: string }) => line.msg === 'worker running';

/** As a real client does, it sends a request again that the API could not accept in time. */
const send = async (client: Client, request: number): Promise<void> => {
  for (let seq: number | undefined; seq === undefined; ) seq = await client.enqueue(request, `request-${request}`);
};

test('50 users send 40 requests each to 3 workers, and one worker is killed: nothing is lost, all runs are in order, no queue is left', async () => {
  await using system = await openSystem();
  const consumer = system.consumer('main', { WORKERS: '3' });
  await consumer.logged(running, 3);
  const clients = await Promise.all(Array.from({ length: 50 }, (_, n) => system.client(`user-${n}`)));

  const sending = Promise.all(
    clients.map(async (client) => {
      for (let n = 0; n < 40; n += 4)
        await Promise.all([n, n + 1, n + 2, n + 3].map((request) => send(client, request)));
    }),
  );
  const halfDone = () => system.history().filter(({ kind }) => kind === 'ended').length >= 600;
  await eventually('600 runs have ended', halfDone, 60_000);
  const [victim] = consumer.workerPids();
  system.record({ kind: 'fault', fault: 'worker-killed', target: `main/${victim}`, at: monotonicMs() });
  process.kill(victim ?? 0, 'SIGKILL');
  await sending;

  const answers = await Promise.all(clients.map((client) => client.disconnect()));
  expect(new Set(answers)).toEqual(new Set(['closed']));
  const verdict = judgeHistory(system.history(), await system.final());
  expect(verdict.violations).toEqual([]);
  expect(verdict.counts).toMatchObject({ users: 50, accepted: 2_000, done: 2_000, staleRuns: 0 });
  expect(verdict.counts.repeats).toBeLessThanOrEqual(50);
}, 180_000);
