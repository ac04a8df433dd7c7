/** LANES is raised while users send, as docs/operations.md says, judged by the recorded history. */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { judgeHistory } from '../judge/judge.ts';
import { eventually } from '../support/world.ts';
import { type Client, openSystem } from './system.ts';

const requests = 30;

const send = (clients: Client[]) =>
  Promise.all(
    clients.map(async (client) => {
      for (let n = 0; n < requests; n += 3) await Promise.all([n, n + 1, n + 2].map((one) => client.enqueue(one)));
    }),
  );

test('LANES is raised from 16 to 32 while users send: nothing is lost, no request runs twice, all runs are in order', async () => {
  await using system = await openSystem({ GRACE_MS: '120000' });
  const raised = { LANES: '32' };
  const settings = { WORKERS: '1', LONGEST_RUN_MS: '40' };
  const started = async (name: string, more = {}) => {
    const consumer = system.consumer(name, { ...settings, ...more });
    await eventually(`${name} runs`, () => consumer.lines.some(({ msg }) => msg === 'worker running'), 120_000);
    return consumer;
  };
  const stop = async (consumer: Awaited<ReturnType<typeof started>>) => {
    consumer.signal('SIGTERM');
    expect((await consumer.exited).code).toBe(0);
  };
  const connect = (prefix: string, through?: ApiProcess) =>
    Promise.all(Array.from({ length: 10 }, (_, n) => system.client(`${prefix}-${n}`, through)));
  const [one, other] = [await started('one'), await started('other')];
  const early = await connect('early');
  const sending = send(early);

  await stop(one);
  await started('one', raised);
  await eventually(
    'the running worker stands by on the new lanes',
    () => other.lines.some(({ msg }) => msg?.startsWith('another worker owns lanes beyond LANES')),
    120_000,
  );
  const api = await startApi([fileURLToPath(new URL('../../functions/api.ts', import.meta.url))], {
    ...system.environment,
    ...raised,
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => api.end().then(() => undefined));
  const late = await connect('late', api);
  const sendingLate = send(late);
  await stop(other);
  await started('other', raised);
  await Promise.all([sending, sendingLate]);

  const answers = await Promise.all([...early, ...late].map((client) => client.disconnect()));
  expect(new Set(answers)).toEqual(new Set(['closed']));
  const verdict = judgeHistory(system.history(), await system.final());
  expect(verdict.violations).toEqual([]);
  expect(verdict.counts).toMatchObject({ users: 20, accepted: 600, done: 600, repeats: 0, staleRuns: 0 });
}, 400_000);
