/** The API with several workers, as processes of their own. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { isAlive } from '../consumer/support/cluster.ts';
import { error } from '../support/log-lines.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { type ApiProcess, spawnApi, startApi } from './api-process.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(360_000);
const patienceMs = 60_000;

const workers = 2;

const open = async () => {
  const metricsPort = await getPort({ host: '127.0.0.1' });
  const api = await startApi(['functions/api.ts'], {
    API_WORKERS: String(workers),
    API_METRICS_PORT: String(metricsPort),
    GRACE_MS: '60000',
  });
  /** The value of each series. */
  const scrape = async (): Promise<Record<string, number>> => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  };
  const ready = () =>
    eventually('all workers run', async () => (await scrape()).lanekeeper_api_workers_ready === workers, patienceMs);
  return { api, scrape, ready };
};

const logIn = async (api: ApiProcess): Promise<string> => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  return String((await api.call({ call: 'POST /login', body: who })).body.token);
};

const livez = '{route="/livez",status="2xx"}';
const calls = 40;

/** The client makes a new connection for each: the primary gives them to the workers in turn. */
const callOften = async (api: ApiProcess): Promise<void> => {
  for (let count = 0; count < calls; count += 1)
    expect(await api.call({ call: 'GET /livez', headers: { connection: 'close' } })).toMatchObject({ status: 200 });
};

test('workers share the port, one that dies is replaced, and the metrics are those of all and never fall', async () => {
  const { api, scrape, ready } = await open();
  await ready();
  const token = await logIn(api);
  await callOften(api);
  const before = await scrape();
  expect(before[`lanekeeper_api_requests_total${livez}`]).toBe(calls);
  expect(Object.entries(before).find(([name]) => name.startsWith('lanekeeper_build_info'))?.[1]).toBe(1);

  const [killed] = api.childPids();
  process.kill(killed as number, 'SIGKILL');
  await eventually(
    'the dead worker was replaced',
    async () => (await scrape())['lanekeeper_api_worker_restarts_total{reason="died"}'] === 1,
    patienceMs,
  );
  await ready();
  await callOften(api);
  expect((await scrape())[`lanekeeper_api_requests_total${livez}`]).toBe(2 * calls);

  // What has begun ends, in the worker that has it.
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  const waiting = api.call({ call: 'GET /requests/1?wait=2', token });
  await eventually('it waits', async () => (await scrape()).lanekeeper_api_long_polls_open === 1, patienceMs);
  const pids = api.childPids();
  const { output, status } = await api.end();
  expect(await waiting).toMatchObject({ status: 200, body: { status: 'queued' } });
  expect(status).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  const logged = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const served = new Set(logged.filter(({ route }) => route === 'GET /livez').map(({ pid }) => pid));
  expect(served.size).toBeGreaterThanOrEqual(workers);
  expect([...served]).toEqual(expect.arrayContaining(pids));
});

test('a second signal ends the workers at once, whatever they do', async () => {
  const { api, ready } = await open();
  await ready();
  const token = await logIn(api);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  const waiting = api.call({ call: 'GET /requests/1?wait=20', token }).catch(() => 'cut off');
  const pids = api.childPids();
  // One Ctrl-C may arrive twice: only a later signal ends them.
  const signals = setInterval(() => api.signal('SIGTERM'), 100);
  expect(await api.exited.finally(() => clearInterval(signals))).not.toBe(0);
  expect(await waiting).toBe('cut off');
  await eventually('no worker is left', () => pids.every((pid) => !isAlive(pid)), patienceMs);
  await api.end();
});

test('workers end what has begun and exit when their primary was killed', async () => {
  const { api, ready } = await open();
  await ready();
  const token = await logIn(api);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  const waiting = api.call({ call: 'GET /requests/1?wait=2', token });
  await api.call({ call: 'GET /queue', token });
  const pids = api.childPids();
  api.signal('SIGKILL');
  expect(await waiting).toMatchObject({ status: 200, body: { status: 'queued' } });
  await eventually('no worker is left', () => pids.every((pid) => !isAlive(pid)), patienceMs);
  await api.end();
});

test.each([0, 150, 300, 600])(
  'Ctrl-C %i ms after the start of a worker ends everything without an error',
  async (ms) => {
    const api = await spawnApi(['functions/api.ts'], { API_WORKERS: String(workers) }, { ownGroup: true });
    await eventually('a worker was started', () => api.childPids().length > 0, patienceMs);
    const pids = api.childPids();
    await pause(ms);
    api.signalGroup('SIGINT');
    expect(await api.exited).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    const { output } = await api.end();
    const isHarmless = (line: string) => line === '' || (line.startsWith('{') && JSON.parse(line).level < error);
    expect(output.split('\n').filter((line) => !isHarmless(line))).toEqual([]);
  },
);

/** As `pm2 -i 2` runs it. */
const foreignPrimary = 'tests/http/support/foreign-primary.ts';

test('a worker of another program is a whole API: it serves metrics, and stops when it is told to', async () => {
  const metricsPort = await getPort({ host: '127.0.0.1' });
  const api = await startApi([foreignPrimary], { API_METRICS_PORT: String(metricsPort) });
  await callOften(api);
  const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  expect(await metrics.text()).toContain(`lanekeeper_api_requests_total${livez}`);
  expect((await api.end()).status).toBe(0);
});

test('a worker of another program refuses to have workers of its own', async () => {
  const failure = await startApi([foreignPrimary], { API_WORKERS: '2' }).catch(({ message }: Error) => message);
  expect(String(failure)).toContain('API_WORKERS must be 1 in a process that another program runs as a worker');
  expect(String(failure)).not.toMatch(/^ +at /m);
});

test('what keeps every worker from starting is said once', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const environment = { PORT: String(port), API_WORKERS: '4' };
    const failure = await startApi(['functions/api.ts'], environment).catch((error: Error) => error.message);
    expect(
      String(failure).match(/^Cannot serve the API on 127\.0\.0\.1:\d+ \(.*EADDRINUSE.*\)\. Set HOST/gm),
    ).toHaveLength(1);
  } finally {
    server.close();
  }
});
