/** The metrics of the API as a process of its own: what callers saw, compared with what a scrape shows. */
import { expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { connectTo } from '../events/support/sse-client.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { startApi } from './api-process.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(120_000);

const open = async () => {
  const port = await getPort({ host: '127.0.0.1' });
  const api = await startApi(['functions/api.ts'], { API_METRICS_PORT: String(port) });
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
  /** Every series with its value. */
  const scrape = async (): Promise<Map<string, number>> => {
    const lines = (await (await get('/metrics')).text()).split('\n').filter((line) => line && !line.startsWith('#'));
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
  };
  /** The series of a metric that are above 0, without those of the calls that `startApi` waits with. */
  const counted = async (metric: string): Promise<Record<string, number>> => {
    const series = [...(await scrape())].filter(([name, value]) => name.startsWith(`${metric}{`) && value > 0);
    const own = series.filter(([name]) => !name.includes('route="/health"'));
    return Object.fromEntries(own.map(([name, value]) => [name.slice(metric.length), value]));
  };
  const logIn = async () => {
    const who = { username: uniqueName('user'), password: 'correct horse battery' };
    await api.call({ call: 'POST /register', body: who });
    return String((await api.call({ call: 'POST /login', body: who })).body.token);
  };
  return { api, get, scrape, counted, logIn };
};

test('a scrape shows each call once, by route, whoever refused it, and the servers', async () => {
  const { api, scrape, counted, logIn } = await open();
  try {
    const fresh = await scrape();
    const paths = new Set((await readRoutes()).map(({ path }) => path));
    for (const route of [...paths, 'other'].filter((path) => path !== '/health')) {
      for (const status of ['2xx', '4xx', '5xx'])
        expect(fresh.get(`lanekeeper_api_requests_total{route="${route}",status="${status}"}`)).toBe(0);
      expect(fresh.get(`lanekeeper_api_request_seconds_count{route="${route}"}`)).toBe(0);
    }
    for (const server of ['mongodb', 'rabbitmq']) expect(fresh.get(`lanekeeper_server_up{server="${server}"}`)).toBe(1);
    expect(fresh.get('lanekeeper_event_loop_lag_seconds')).toBeGreaterThanOrEqual(0);
    expect([...fresh.keys()]).toContainEqual(expect.stringMatching(/^lanekeeper_build_info\{version="\d.*",node="v/));

    const token = await logIn();
    const answers = [
      await api.call({ call: 'POST /enqueue', body: { request: 1 }, token }),
      await api.call({ call: 'GET /requests/1', token }),
      await api.call({ call: 'GET /requests/99', token }),
      await api.call({ call: 'DELETE /requests/1', token }),
      await api.call({ call: 'GET /queue' }),
      await api.call({ call: 'PUT /queue' }),
      await api.call({ call: 'POST /enqueue', body: { request: 'x'.repeat(400_000) }, token }),
      await api.call({ call: 'GET /made/up' }),
      await api.call({ call: 'GET /requests/%' }),
      // The API's own port has no metrics.
      await api.call({ call: 'GET /metrics' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 404, 200, 401, 405, 413, 404, 400, 404]);
    expect(await counted('lanekeeper_api_requests_total')).toEqual({
      '{route="/register",status="2xx"}': 1,
      '{route="/login",status="2xx"}': 1,
      '{route="/enqueue",status="2xx"}': 1,
      '{route="/enqueue",status="4xx"}': 1,
      '{route="/requests/{seq}",status="2xx"}': 2,
      '{route="/requests/{seq}",status="4xx"}': 1,
      '{route="/queue",status="4xx"}': 2,
      '{route="other",status="4xx"}': 3,
    });
    expect(await counted('lanekeeper_api_errors_total')).toEqual({
      '{route="/enqueue",code="request-too-large"}': 1,
      '{route="/requests/{seq}",code="request-not-found"}': 1,
      '{route="/queue",code="missing-token"}': 1,
      '{route="/queue",code="method-not-allowed"}': 1,
      '{route="other",code="not-found"}': 2,
      '{route="other",code="invalid-request"}': 1,
    });
    expect(await counted('lanekeeper_api_request_seconds_count')).toEqual({
      '{route="/register"}': 1,
      '{route="/login"}': 1,
      '{route="/enqueue"}': 2,
      '{route="/requests/{seq}"}': 3,
      '{route="/queue"}': 2,
      '{route="other"}': 3,
    });
  } finally {
    await api.end();
  }
});

test('a scrape shows the calls that wait and those whose client went, and its port serves nothing else', async () => {
  const { api, get, scrape, counted, logIn } = await open();
  try {
    const openPolls = async () => (await scrape()).get('lanekeeper_api_long_polls_open');
    const token = await logIn();
    await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
    expect(await openPolls()).toBe(0);
    const gone = new AbortController();
    const waiting = fetch(`http://127.0.0.1:${api.port}/requests/1?wait=20`, {
      headers: { authorization: `Bearer ${token}` },
      signal: gone.signal,
    });
    await eventually('a call waits', async () => (await openPolls()) === 1);
    gone.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await eventually('no call waits', async () => (await openPolls()) === 0);
    expect(await counted('lanekeeper_api_errors_total')).toEqual({
      '{route="/requests/{seq}",code="caller-gone"}': 1,
    });
    expect(await counted('lanekeeper_api_requests_total')).toMatchObject({
      '{route="/requests/{seq}",status="4xx"}': 1,
    });
    // An answer that comes after a wait is in the histogram with its wait.
    await api.call({ call: 'GET /requests/1?wait=1', token });
    const seconds = await scrape();
    const bucket = (le: string) =>
      seconds.get(`lanekeeper_api_request_seconds_bucket{le="${le}",route="/requests/{seq}"}`) ?? 0;
    expect(bucket('+Inf') - bucket('0.5')).toBeGreaterThanOrEqual(1);

    // A stream counts when it begins, and whoever leaves it has not failed.
    const openStreams = async () => (await scrape()).get('lanekeeper_api_event_streams_open');
    const stream = await connectTo(`http://127.0.0.1:${api.port}/events`, { authorization: `Bearer ${token}` });
    await stream.events().next();
    expect(await openStreams()).toBe(1);
    expect((await counted('lanekeeper_api_events_sent_total'))['{type="accepted"}']).toBe(1);
    stream.close();
    await eventually('no stream is open', async () => (await openStreams()) === 0);
    expect((await counted('lanekeeper_api_requests_total'))['{route="/events",status="2xx"}']).toBe(1);
    expect((await counted('lanekeeper_api_errors_total'))['{route="/events",code="caller-gone"}']).toBeUndefined();

    for (const path of ['/livez', '/healthz', '/health', '/enqueue']) expect((await get(path)).status).toBe(404);
    expect(await (await get('/')).text()).toBe('no such route; try /metrics\n');
    expect((await get('/metrics', 'POST')).status).toBe(405);
  } finally {
    expect(await api.end()).toMatchObject({ status: 0, output: expect.stringContaining('"serving /metrics"') });
  }
});
