/** Task protection, against an HTTP server in the place of the agent of ECS. */
import { json } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { protectLongRuns } from '../../lib/consumer/task-protection.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { startHttpServer } from '../support/http-server.ts';
import { eventually } from '../support/world.ts';
import { startCluster, supportFile } from './support/cluster.ts';

type Request = { call: string; body: unknown };
type Answer = { status: number; body: object };

const agreed: Answer = { status: 200, body: { protection: { ProtectionEnabled: true } } };
const on = { ProtectionEnabled: true, ExpiresInMinutes: 10 };
const off = { ProtectionEnabled: false };

const startAgent = async () => {
  const requests: Request[] = [];
  const agent = { requests, answer: agreed };
  const server = await startHttpServer(async (request, response) => {
    requests.push({ call: `${request.method} ${request.url}`, body: await json(request) });
    response.writeHead(agent.answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(agent.answer.body));
  });
  return Object.assign(agent, server, { uri: `${server.url}/api/task` });
};

/** A consumer whose oldest run the test decides. */
const openConsumer = (agentUri: string | undefined) => {
  const clock = new FakeClock(new Date(0));
  const lines: string[] = [];
  const note = (fields: unknown, text?: string) =>
    void lines.push([text ?? fields, (fields as { reason?: string }).reason ?? []].flat().join(': '));
  const run = { ms: 0 };
  protectLongRuns(agentUri, () => run.ms, { clock, log: { warn: note, info: note } as never });
  /** Waits for the end of the look before, and begins the next one. */
  const look = () => eventually('the next look', async () => clock.fireNext());
  return { clock, lines, run, look };
};

test('a task is protected while a run is long, again before the protection expires, and not afterwards', async () => {
  await using agent = await startAgent();
  const { run, look, clock, lines } = openConsumer(agent.uri);
  const bodies = () => agent.requests.map(({ body }) => body);

  run.ms = 29_999;
  await look();
  run.ms = 30_000;
  await look();
  await look();
  await look();
  expect(agent.requests).toEqual([{ call: 'PUT /api/task/task-protection/v1/state', body: on }]);

  clock.moveTo(clock.monotonicMs() + 240_000);
  await look();
  await look();
  expect(bodies()).toEqual([on, on]);

  // The next run is short.
  run.ms = 5;
  await look();
  await look();
  await look();
  expect(bodies()).toEqual([on, on, off]);
  expect(lines).toEqual(['this task is protected: it has a long run', 'this task is no longer protected']);
});

test.each([
  [
    'a failure',
    { status: 200, body: { failure: { Reason: 'DEPLOYMENT_BLOCKED', Detail: 'no more' } } },
    /DEPLOYMENT_BLOCKED/,
  ],
  ['an error', { status: 400, body: { error: { Code: 'AccessDeniedException', Message: 'no' } } }, /AccessDenied/],
])('%s that ECS answers with is logged once, and the task asks until ECS agrees', async (_, refusal, reason) => {
  await using agent = await startAgent();
  const { run, look, lines } = openConsumer(agent.uri);
  agent.answer = refusal;
  run.ms = 60_000;
  await look();
  await look();
  await look();
  expect(lines).toEqual([expect.stringMatching(reason)]);
  agent.answer = agreed;
  await look();
  await look();
  expect(agent.requests.length).toBeGreaterThanOrEqual(3);
  expect(agent.requests.at(-1)?.body).toEqual(on);
  expect(lines.slice(1)).toEqual([
    'this task is protected: it has a long run',
    'ECS changes the protection of this task again',
  ]);
});

test('without ECS_AGENT_URI nothing is asked', () => {
  const { clock, run } = openConsumer(undefined);
  run.ms = 60_000;
  expect(clock.fireNext()).toBe(false);
});

test('a consumer on ECS protects its task by the runs that its workers report', async () => {
  await using agent = await startAgent();
  const env = { TEST_WORKER: supportFile('stub-worker.ts'), TEST_OLDEST_RUN_MS: '31000', ECS_AGENT_URI: agent.uri };
  await using _cluster = startCluster({ ...env, WORKERS: '1' });
  await eventually('the task is protected', async () => agent.requests.length > 0, 20_000);
  expect(agent.requests[0]).toEqual({ call: 'PUT /api/task/task-protection/v1/state', body: on });
});
