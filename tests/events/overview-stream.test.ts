/** The overview over HTTP, from API processes on real servers: as a stream, as a page that waits, and what ends them. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';
import { type Connection, connectTo, type SseEvent } from './support/sse-client.ts';

jest.setTimeout(60_000);

type Overview = {
  version: string;
  at: string;
  problems: { code: string; count?: number }[];
  changes: Record<'users' | 'deadLetters', string>;
};

let world: World;
const apis: ApiProcess[] = [];
const proxies: Awaited<ReturnType<typeof startProxyTo>>[] = [];

const startApiHere = async (environment: Record<string, string> = {}) => {
  const api = await startApi(['functions/api.ts'], { ...serversOf(world), AUTO_MIGRATE: '1', ...environment });
  apis.push(api);
  return api;
};

let api: ApiProcess;
beforeAll(async () => {
  world = await openWorld();
  const error = { name: 'Error', message: 'as asked' };
  world.work(async ({ body }) =>
    body === '"block"' ? { kind: 'blocked', error, reason: 'failed' } : { kind: 'done', result: body },
  );
  api = await startApiHere();
  await eventually('a worker owns all lanes', async () => {
    const [worker] = await world.stores.workers.all();
    return worker?.lanes.length === world.config.lanes;
  });
});
afterAll(async () => {
  const ended = await Promise.all(apis.map((one) => one.end()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await world?.[Symbol.asyncDispose]();
  expect(ended.map(({ status }) => status)).toEqual(ended.map(() => 0));
});

type Account = { username: string; token: string };

const logIn = async (username: string): Promise<string> =>
  String((await api.call({ call: 'POST /login', body: { username, password: 'correct horse' } })).body.token);
const newUser = async (): Promise<Account> => {
  const username = uniqueName('user');
  await api.call({ call: 'POST /register', body: { username, password: 'correct horse' } });
  return { username, token: await logIn(username) };
};
const newOperator = async (): Promise<Account> => {
  const account = await newUser();
  await world.stores.accounts.setRole(account.username, 'operator');
  return account;
};
const enqueue = ({ token }: Account, request: unknown) => api.call({ call: 'POST /enqueue', body: { request }, token });

/** Reads a connection in the background. */
const read = (connection: Connection) => {
  const events: SseEvent[] = [];
  const ended = (async () => {
    try {
      for await (const event of connection.events()) events.push(event);
      return 'cleanly';
    } catch {
      return 'cut off';
    }
  })();
  const shown = () => events.map(({ data }) => data as unknown as Overview);
  return { connection, events, ended, shown };
};
const watch = async (token: string, query = '', { port } = api) =>
  read(await connectTo(`http://127.0.0.1:${port}/overview${query}`, { authorization: `Bearer ${token}` }));
const page = async ({ token }: Account, query = '', at = api) =>
  (await at.call({ call: `GET /overview${query}`, token })).body as unknown as Overview;

const blockedIn = ({ problems }: Overview): number => problems.find(({ code }) => code === 'blocked-users')?.count ?? 0;

test('a stream begins with the overview, and tells it again when it has changed', async () => {
  const operator = await newOperator();
  const { connection, events, shown } = await watch(operator.token);
  expect(connection.status).toBe(200);
  expect(connection.headers.get('content-type')).toBe('text/event-stream');
  const [first] = await eventually('the first event', () => events.length > 0 && events);
  const asked = await page(operator);
  expect(first).toMatchObject({ id: shown()[0]?.version, type: 'overview' });
  expect(Object.keys(first?.data ?? {})).toEqual(expect.arrayContaining(Object.keys(asked)));
  const before = blockedIn(asked);
  await enqueue(await newUser(), 'block');
  const sentAt = performance.now();
  await eventually('the blocked user', () => shown().some((one) => blockedIn(one) === before + 1));
  expect(performance.now() - sentAt).toBeLessThan(3_000);
  const ids = events.map(({ id }) => id);
  expect(ids.every((id, index) => id !== ids[index - 1])).toBe(true);
  connection.close();
});

test('a client that has the overview is told only what changes', async () => {
  const operator = await newOperator();
  const { version: known } = await page(operator);
  const { connection, events } = await watch(operator.token, `?after=${known}`);
  await eventually('the head of the stream', () => connection.text().startsWith('retry: 1000\n\n: \n\n'));
  await enqueue(await newUser(), 'done');
  const [first] = await eventually('a change', () => events.length > 0 && events);
  expect(first?.id).not.toBe(known);
  connection.close();
});

test('a page waits for a change, and says what has changed', async () => {
  const operator = await newOperator();
  await eventually('a page is the same after its wait', async () => {
    const { version } = await page(operator);
    return (await page(operator, `?after=${version}&wait=0.1`)).version === version;
  });
  const askedAt = performance.now();
  const { version, changes } = await page(operator, '?after=other&wait=20');
  expect(performance.now() - askedAt).toBeLessThan(5_000);
  const waiting = page(operator, `?after=${version}&wait=20`);
  await enqueue(await newUser(), 'block');
  expect((await waiting).version).not.toBe(version);
  await eventually('both lists have changed', async () => {
    const { users, deadLetters } = (await page(operator)).changes;
    return users !== changes.users && deadLetters !== changes.deadLetters;
  });
  for (const query of ['?wait=21', `?after=${'x'.repeat(65)}`])
    expect(await api.call({ call: `GET /overview${query}`, token: operator.token })).toMatchObject({ status: 400 });
});

test('only operators may watch, with a session or with a key', async () => {
  const { token } = await newUser();
  const refused = await watch(token);
  expect(refused.connection.status).toBe(403);
  const created = await createApiKey({ name: uniqueName('key'), scopes: ['operate'] }, world.stores);
  const { key, secret } = created as NonNullable<typeof created>;
  const stream = await watch(secret);
  await eventually('the first event', () => stream.events.length > 0);
  await world.stores.apiKeys.revoke(key.id);
  expect(await stream.ended).toBe('cleanly');
});

test('a stream and a page that waits end within two seconds when the operator role is taken away', async () => {
  const operator = await newOperator();
  const { version } = await page(operator);
  const stream = await watch(operator.token);
  await eventually('the first event', () => stream.events.length > 0);
  const waiting = page(operator, `?after=${version}&wait=20`);
  await world.stores.accounts.setRole(operator.username, 'user');
  const takenAt = performance.now();
  expect(await stream.ended).toBe('cleanly');
  await waiting;
  expect(performance.now() - takenAt).toBeLessThan(2_000);
  expect(await api.call({ call: 'GET /overview', token: operator.token })).toMatchObject({
    status: 403,
    body: { code: 'not-an-operator' },
  });
});

test('a stream ends when its session does', async () => {
  const operator = await newOperator();
  const stream = await watch(operator.token);
  await eventually('the first event', () => stream.events.length > 0);
  await api.call({ call: 'DELETE /sessions', token: await logIn(operator.username) });
  expect(await stream.ended).toBe('cleanly');
});

test('streams of events and of the overview share their places', async () => {
  const operator = await newOperator();
  const narrow = await startApiHere({ MAX_SESSION_STREAMS: '1' });
  const events = await connectTo(`http://127.0.0.1:${narrow.port}/events`, {
    authorization: `Bearer ${operator.token}`,
  });
  const refused = await watch(operator.token, '', narrow);
  expect(refused.connection.status).toBe(429);
  expect(refused.connection.headers.get('retry-after')).toBe('1');
  events.close();
  await eventually('the place is free', async () => {
    const { connection } = await watch(operator.token, '', narrow);
    connection.close();
    return connection.status === 200;
  });
});

test('at SIGTERM a stream ends cleanly, and a page that waits is answered', async () => {
  const operator = await newOperator();
  const stopping = await startApiHere();
  const { version } = await page(operator);
  const stream = await watch(operator.token, '', stopping);
  await eventually('the first event', () => stream.events.length > 0);
  const waiting = page(operator, `?after=${version}&wait=20`, stopping);
  await stopping.call({ call: 'GET /livez' });
  const startedAt = performance.now();
  stopping.signal('SIGTERM');
  expect(await stream.ended).toBe('cleanly');
  expect(await waiting).toMatchObject({ problems: expect.any(Array) });
  await stopping.exited;
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('a stream ends when MongoDB does not answer: nobody knows the overview then', async () => {
  const operator = await newOperator();
  const proxy = await startProxyTo(world.config.mongodbUrl);
  proxies.push(proxy);
  const cutOff = await startApiHere({ MONGODB_URL: proxy.url, STORE_TIMEOUT_MS: '1000' });
  const stream = await watch(operator.token, '', cutOff);
  await eventually('the first event', () => stream.events.length > 0);
  await proxy.cut();
  expect(await stream.ended).toBe('cleanly');
  expect(await cutOff.call({ call: 'GET /overview', token: operator.token })).toMatchObject({ status: 503 });
  await proxy.restore();
});
