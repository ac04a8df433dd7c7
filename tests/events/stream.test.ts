/** Events over HTTP, from API processes on real servers: streams, pages, tokens, and what ends a stream. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { streamTokenSeconds } from '../../lib/accounts/stream-tokens.ts';
import { userIdOf } from '../../lib/references.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';
import { type Connection, connectTo, type SseEvent } from './support/sse-client.ts';

jest.setTimeout(120_000);

let world: World;
const apis: ApiProcess[] = [];

const startApiHere = async (environment: Record<string, string> = {}) => {
  const api = await startApi(['functions/api.ts'], { ...serversOf(world), AUTO_MIGRATE: '1', ...environment });
  apis.push(api);
  return api;
};

let api: ApiProcess;
beforeAll(async () => {
  world = await openWorld();
  world.work(async ({ body }) => ({ kind: 'done', result: body }));
  api = await startApiHere({ CORS_ORIGINS: 'https://app.example.com' });
});
afterAll(async () => {
  const ended = await Promise.all(apis.map((one) => one.end()));
  await world?.[Symbol.asyncDispose]();
  expect(ended.map(({ status }) => status)).toEqual(ended.map(() => 0));
});

type Account = { username: string; token: string };

const newUser = async (): Promise<Account> => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  return { username: who.username, token: await logIn(who.username) };
};
const logIn = async (username: string): Promise<string> =>
  String((await api.call({ call: 'POST /login', body: { username, password: 'correct horse' } })).body.token);
const enqueue = async (token: string, request: unknown, at = api) => {
  const answer = await at.call({ call: 'POST /enqueue', body: { request }, token });
  expect(answer.status).toBe(202);
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Reads a connection in the background. */
const read = (connection: Connection) => {
  const events: SseEvent[] = [];
  let hasEnded: 'cleanly' | 'cut off' | undefined;
  const ended = (async () => {
    try {
      for await (const event of connection.events()) events.push(event);
      hasEnded = 'cleanly';
    } catch {
      hasEnded = 'cut off';
    }
    return hasEnded;
  })();
  const told = () =>
    events.flatMap(({ type, data }) => (type === 'queue' ? [] : [`${type} ${(data.request as { seq: number }).seq}`]));
  const has = (text: string, ms?: number) => eventually(`${text}, of ${told()}`, () => told().includes(text), ms);
  return { connection, events, ended, told, has };
};
const listen = async (token: string, query = '', { port } = api, headers: Record<string, string> = {}) =>
  read(await connectTo(`http://127.0.0.1:${port}/events${query}`, { ...bearer(token), ...headers }));

test('a stream begins at once, tells what happens, and can be read by a page of an allowed origin', async () => {
  const { token } = await newUser();
  const { connection, told, has, events } = await listen(token, '', api, { origin: 'https://app.example.com' });
  expect(connection.status).toBe(200);
  expect(Object.fromEntries(connection.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'access-control-allow-origin': 'https://app.example.com',
  });
  await eventually('the head of the stream', () => connection.text().startsWith('retry: 1000\n\n: \n\n'));
  await enqueue(token, { amount: 5 });
  await has('settled 1');
  const settled = events.find(({ type }) => type === 'settled');
  const { attemptLog: _, ...shown } = (await api.call({ call: 'GET /requests/1', token })).body as Record<
    string,
    unknown
  >;
  expect(settled).toEqual({ id: '1', type: 'settled', data: { request: shown } });
  await eventually('the queue', () => events.at(-1)?.type === 'queue' && events.at(-1)?.data);
  connection.close();
  await enqueue(token, 2);
  await enqueue(token, 3);
  const later = await listen(token, '?after=0', api, { 'last-event-id': '1' });
  await later.has('settled 3');
  expect([...told(), ...later.told()].filter((text) => text.startsWith('settled'))).toEqual([
    'settled 1',
    'settled 2',
    'settled 3',
  ]);
  later.connection.close();
});

test('a client that takes JSON gets pages, and waits for the next one', async () => {
  const { token } = await newUser();
  const page = async (query: string) => (await api.call({ call: `GET /events${query}`, token })).body;
  expect(await page('')).toEqual({
    events: [],
    next: '0',
    queue: { accepted: 0, settled: 0, pending: 0, state: 'closed' },
  });
  const waiting = page('?after=0&wait=20');
  await enqueue(token, 1);
  expect(await waiting).toMatchObject({ events: [{ request: { seq: 1 } }] });
  let { next } = await waiting;
  const types: string[] = [];
  await eventually('it is settled', async () => {
    const more = (await page(`?after=${next}&wait=5`)) as { next: string; events: { type: string }[] };
    next = more.next;
    types.push(...more.events.map(({ type }) => type));
    return types.includes('settled');
  });
  expect(next).toBe('1');
  expect(await page('?after=1&wait=0.1')).toMatchObject({ events: [], next: '1' });
  expect(await page('?seq=1')).toMatchObject({ events: [{ id: '1', type: 'settled' }], next: '1' });
  for (const query of ['?after=x', '?after=2.1', '?seq=0', '?wait=21', `?after=${'1'.repeat(3_000)}`])
    expect(await api.call({ call: `GET /events${query}`, token })).toMatchObject({
      status: 400,
      body: { code: 'invalid-request' },
    });
  const headers = { 'last-event-id': 'no cursor' };
  expect(await api.call({ call: 'GET /events', token, headers })).toMatchObject({ status: 400 });
});

test('a stream token connects to the events of its user, and does nothing else', async () => {
  const { token } = await newUser();
  const answer = await api.call({ call: 'POST /stream-token', token });
  expect(answer).toMatchObject({ status: 200, body: { expiresInSeconds: streamTokenSeconds } });
  const streamToken = String(answer.body.token);
  const stream = read(await connectTo(`http://127.0.0.1:${api.port}/events?token=${streamToken}`, {}));
  await enqueue(token, 1);
  await stream.has('settled 1');
  stream.connection.close();
  for (const call of [
    'GET /queue',
    'GET /requests/1',
    'DELETE /sessions',
    'POST /stream-token',
    'GET /events',
    'POST /disconnect',
  ])
    expect([call, await api.call({ call, token: streamToken })]).toMatchObject([
      call,
      { status: 401, body: { code: 'invalid-token' } },
    ]);
  const body = { request: 1, token: streamToken };
  expect(await api.call({ call: 'POST /enqueue', body })).toMatchObject({ status: 401 });
  expect(await api.call({ call: `GET /queue?token=${streamToken}` })).toMatchObject({ status: 401 });
  // The token of a session has no place in a URL.
  expect(await api.call({ call: `GET /events?token=${token}` })).toMatchObject({
    status: 401,
    body: { code: 'invalid-token' },
  });
  expect(await api.call({ call: `GET /users/ada/events?token=${streamToken}` })).toMatchObject({ status: 401 });
  await api.call({ call: 'POST /disconnect', token });
  expect(await api.call({ call: `GET /events?token=${streamToken}` })).toMatchObject({
    status: 401,
    body: { code: 'session-ended' },
  });
});

test('a back end watches its users with a key, and its stream ends when the key is revoked', async () => {
  const created = await createApiKey({ name: uniqueName('key'), scopes: ['read', 'enqueue'] }, world.stores);
  const { key, secret } = created as NonNullable<typeof created>;
  const reference = uniqueName('a/b c');
  const path = `/users/${encodeURIComponent(reference)}`;
  const stream = read(await connectTo(`http://127.0.0.1:${api.port}${path}/events`, bearer(secret)));
  await api.call({ call: `POST ${path}/enqueue`, body: { request: 'x'.repeat(20_000) }, token: secret });
  await stream.has('settled 1');
  const settled = stream.events.find(({ type }) => type === 'settled') as SseEvent;
  const { resultUrl } = settled.data.request as { resultUrl: string };
  expect(await api.call({ call: `GET ${resultUrl}`, token: secret })).toMatchObject({ status: 200, body: { seq: 1 } });
  const { body } = await api.call({ call: `POST ${path}/stream-token`, token: secret });
  expect(await api.call({ call: `GET /events?after=0&token=${body.token}` })).toMatchObject({ body: { next: '1' } });
  expect(await api.call({ call: `GET ${path}/events?after=0&token=${body.token}` })).toMatchObject({
    body: { next: '1' },
  });
  expect(await api.call({ call: `GET ${path}/events?as=operator&token=${body.token}` })).toMatchObject({ status: 400 });
  expect((await world.stores.userQueues.get([userIdOf(reference)]))[0]).toMatchObject({ settled: expect.any(Number) });
  await world.stores.apiKeys.revoke(key.id);
  expect(await stream.ended).toBe('cleanly');
  expect(await api.call({ call: `GET /events?token=${body.token}` })).toMatchObject({
    status: 401,
    body: { code: 'invalid-key' },
  });
});

test('a stream ends when its session does', async () => {
  const { username, token } = await newUser();
  const stream = await listen(token);
  const other = await logIn(username);
  await api.call({ call: 'DELETE /sessions', token: other });
  expect(await stream.ended).toBe('cleanly');
});

test("an operator's stream of another user ends within two seconds when the role is taken away", async () => {
  const [operator, watched] = [await newUser(), await newUser()];
  await world.stores.accounts.setRole(operator.username, 'operator');
  const url = `http://127.0.0.1:${api.port}/users/${watched.username}/events?as=operator`;
  const stream = read(await connectTo(url, bearer(operator.token)));
  await enqueue(watched.token, 1);
  await stream.has('settled 1');
  await world.stores.accounts.setRole(operator.username, 'user');
  const takenAt = performance.now();
  expect(await stream.ended).toBe('cleanly');
  expect(performance.now() - takenAt).toBeLessThan(3_000);
});

test('at SIGTERM streams and calls that wait end, and go on at another process where they were', async () => {
  const { token } = await newUser();
  const stopping = await startApiHere();
  const { ended, events, has } = await listen(token, '', stopping);
  await enqueue(token, 1);
  await has('settled 1');
  const page = stopping.call({ call: 'GET /events?after=1&wait=20', token });
  await stopping.call({ call: 'GET /livez' });
  const startedAt = performance.now();
  stopping.signal('SIGTERM');
  expect(await ended).toBe('cleanly');
  expect(await page).toMatchObject({ status: 200, body: { events: [] } });
  await stopping.exited;
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await enqueue(token, 2);
  const last = events.findLast(({ id }) => id !== undefined)?.id;
  const later = await listen(token, `?after=${last}`);
  await later.has('settled 2');
  expect(later.told()).not.toContain('settled 1');
  later.connection.close();
});

test('clients of processes that are killed miss nothing and hear nothing twice', async () => {
  const users = await Promise.all(Array.from({ length: 10 }, newUser));
  let current = await startApiHere();
  const seen = users.map((): string[] => []);
  const stop = new AbortController();
  const follow = async ({ token }: Account, told: string[]): Promise<void> => {
    let last = '0';
    while (!stop.signal.aborted) {
      try {
        const connection = await connectTo(`http://127.0.0.1:${current.port}/events?after=${last}`, bearer(token));
        stop.signal.addEventListener('abort', connection.close);
        for await (const { id, type, data } of connection.events()) {
          last = id ?? last;
          if (type === 'settled') told.push(String((data.request as { seq: number }).seq));
        }
      } catch {
        // The process has gone.
      }
    }
  };
  const following = users.map((user, index) => follow(user, seen[index] as string[]));
  for (let round = 0; round < 2; round += 1) {
    for (let request = 0; request < 5; request += 1)
      await Promise.all(users.map(({ token }) => enqueue(token, request)));
    const [killed, next] = [current, await startApiHere()];
    current = next;
    killed.signal('SIGKILL');
    apis.splice(apis.indexOf(killed), 1);
  }
  const expected = Array.from({ length: 10 }, (_, index) => String(index + 1));
  await eventually('all have heard of all', () => seen.every((told) => told.length >= expected.length), 30_000);
  stop.abort();
  await Promise.all(following);
  expect(seen).toEqual(users.map(() => expected));
});

test('without RabbitMQ the events still come, and streams stay open', async () => {
  const proxied = await world.cuttable();
  const cutOff = await startApiHere({ RABBITMQ_URL: proxied.config.rabbitmqUrl });
  const { token } = await newUser();
  const { has, connection } = await listen(token, '', cutOff);
  await enqueue(token, 1);
  await has('settled 1');
  await proxied.cutForGood();
  await enqueue(token, 2);
  await has('settled 2');
  connection.close();
});
