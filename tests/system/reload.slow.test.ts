/** Reloads while users are served, judged by the recorded history. */
import { expect, test } from '@jest/globals';
import { judgeHistory } from '../judge/judge.ts';
import { eventually } from '../support/world.ts';
import { openSystem } from './system.ts';

test('two reloads while 20 users send 30 requests each: nothing is lost, no request runs twice, all runs are in order', async () => {
  // No run is aborted, however long the new workers take to start.
  await using system = await openSystem({ GRACE_MS: '120000' });
  const consumer = system.consumer('main', { WORKERS: '1', LONGEST_RUN_MS: '40' });
  // New workers take their time on a busy machine.
  const logged = (text: string, count = 1) =>
    eventually(text, () => consumer.lines.filter(({ msg }) => msg?.startsWith(text)).length >= count, 120_000);
  await logged('worker running');
  const clients = await Promise.all(Array.from({ length: 20 }, (_, n) => system.client(`user-${n}`)));
  const ended = () => system.history().filter(({ kind }) => kind === 'ended').length;

  const sending = Promise.all(
    clients.map(async (client) => {
      for (let n = 0; n < 30; n += 3) await Promise.all([n, n + 1, n + 2].map((request) => client.enqueue(request)));
    }),
  );
  for (const reload of [1, 2]) {
    await eventually('more runs have ended', () => ended() >= reload * 100, 120_000);
    consumer.signal('SIGUSR2');
    await logged('reload done', reload);
  }
  await sending;

  const answers = await Promise.all(clients.map((client) => client.disconnect()));
  expect(new Set(answers)).toEqual(new Set(['closed']));
  const verdict = judgeHistory(system.history(), await system.final());
  expect(verdict.violations).toEqual([]);
  expect(verdict.counts).toMatchObject({ users: 20, accepted: 600, done: 600, repeats: 0, staleRuns: 0 });
}, 400_000);
