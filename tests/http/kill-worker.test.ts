/** "Try it": an operator kills a worker of a real consumer, and nothing else can be killed. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { consumerScript, isAlive, startCluster, type TestCluster } from '../consumer/support/cluster.ts';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';
import { type ApiProcess, startApi } from './api-process.ts';

jest.setTimeout(60_000);

let world: World;
let consumer: TestCluster;
let api: ApiProcess;
let operator: string;
let operatorId: string;
let healthz: string;
/** What the log must have: who was killed, beside who did it. */
const killedOne: { workerId?: string; workerPid?: number } = {};

type Slot = { pid: number; state: string; snapshot?: { workerId: string } };

const account = async (username: string): Promise<string> => {
  const credentials = { username, password: 'correct horse 17' };
  await api.call({ call: 'POST /register', body: credentials });
  return String((await api.call({ call: 'POST /login', body: credentials })).body.token);
};

beforeAll(async () => {
  world = await openWorld();
  const metricsPort = String(await getPort({ host: '127.0.0.1' }));
  healthz = `http://127.0.0.1:${metricsPort}/healthz`;
  consumer = startCluster({ ...serversOf(world), WORKERS: '2', METRICS_PORT: metricsPort }, consumerScript);
  api = await startApi(['functions/api.ts'], { ...serversOf(world), TRY_IT_PORT: metricsPort });
  operator = await account('olga');
  operatorId = JSON.parse(Buffer.from(operator.split('.')[1] ?? '', 'base64url').toString()).sub;
  await world.stores.accounts.setRole('olga', 'operator');
});
afterAll(async () => {
  const { output = '' } = (await api?.end()) ?? {};
  await consumer?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  const kills = output.split('\n').filter((line) => line.includes('worker killed'));
  expect(kills.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ userId: operatorId, ...killedOne }),
  ]);
});

const slots = async (): Promise<Slot[]> => ((await (await fetch(healthz)).json()) as { workers: Slot[] }).workers;

const running = () =>
  eventually('two workers run and have reported', async () => {
    const found = (await slots().catch(() => [])).filter(({ state, snapshot }) => state === 'running' && snapshot);
    const beating = new Set((await world.stores.workers.all()).map(({ workerId }) => workerId));
    return found.length === 2 && found.every(({ snapshot }) => beating.has(snapshot?.workerId ?? '')) && found;
  });

const kill = async (workerId: unknown, token: string, port = api.port) => {
  const answer = await fetch(`http://127.0.0.1:${port}/try-it/kill-worker`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ workerId }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

test('an operator kills a current worker, and the primary starts another one', async () => {
  const [victim, other] = await running();
  const workerId = victim?.snapshot?.workerId;
  expect((await api.call({ call: 'GET /overview', token: operator })).body.tryIt).toBe(true);
  const killed = await kill(workerId, operator);
  expect(killed).toMatchObject({ status: 200, body: { workerId, pid: victim?.pid, at: expect.any(String) } });
  Object.assign(killedOne, { workerId, workerPid: victim?.pid });
  await eventually('it is dead', () => !isAlive(victim?.pid as number));
  expect((await kill(workerId, operator)).status).toBe(404);
  const after = await running();
  expect(after.map(({ pid }) => pid)).toContain(other?.pid);
  expect(after.map(({ pid }) => pid)).not.toContain(victim?.pid);
});

test('nobody but an operator kills', async () => {
  const [victim] = await running();
  const workerId = victim?.snapshot?.workerId;
  const user = await account('ada');
  expect(await kill(workerId, user)).toMatchObject({ status: 403, body: { code: 'not-an-operator' } });
  expect((await kill(workerId, 'nonsense')).status).toBe(401);
  expect(isAlive(victim?.pid as number)).toBe(true);
});

test('nothing is killed that is no current worker of this installation on this host', async () => {
  const [victim] = await running();
  const now = new Date();
  const workers = world.stores.workers;
  const heartbeat = { lanes: [], unresponsive: [] };
  await workers.report({ ...heartbeat, workerId: 'elsewhere', at: now });
  await workers.report({ ...heartbeat, workerId: 'silent', at: new Date(now.getTime() - 60_000) });
  expect(await kill('elsewhere', operator)).toMatchObject({
    status: 404,
    body: { detail: 'The consumer on this host does not run the worker elsewhere.' },
  });
  for (const workerId of ['silent', 'nobody'])
    expect(await kill(workerId, operator)).toMatchObject({
      status: 404,
      body: { detail: `No worker ${workerId} is alive.` },
    });
  for (const workerId of [victim?.pid, '', undefined]) expect((await kill(workerId, operator)).status).toBe(400);
  expect((await running()).map(({ pid }) => pid)).toContain(victim?.pid);
});

test('a consumer that answers for a process that is not its own kills nothing', async () => {
  const [victim] = await running();
  const { createServer } = await import('node:http');
  // Some other program with the port of the consumer: it names this very process.
  const liar = createServer((_request, response) => {
    const snapshot = { workerId: victim?.snapshot?.workerId };
    response.end(JSON.stringify({ pid: process.pid, workers: [{ pid: victim?.pid, state: 'running', snapshot }] }));
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  const { port } = liar.address() as { port: number };
  const misled = await startApi(['functions/api.ts'], { ...serversOf(world), TRY_IT_PORT: String(port) });
  expect((await kill(victim?.snapshot?.workerId, operator, misled.port)).status).toBe(404);
  expect(isAlive(victim?.pid as number)).toBe(true);
  await misled.end();
  await new Promise((resolve) => liar.close(resolve));
});

test('without the setting there is no such route', async () => {
  const [victim] = await running();
  const usual = await startApi(['functions/api.ts'], serversOf(world));
  expect(await kill(victim?.snapshot?.workerId, operator, usual.port)).toMatchObject({
    status: 404,
    body: { code: 'not-found' },
  });
  expect((await usual.call({ call: 'GET /overview', token: operator })).body).not.toHaveProperty('tryIt');
  expect(isAlive(victim?.pid as number)).toBe(true);
  await usual.end();
});
