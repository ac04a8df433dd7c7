/** WebSocket sessions through the gateway: a real API process, a real worker, and real sockets. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import type { RunRequest } from '../../lib/ports.ts';
import type { LedgerEntry } from '../../lib/types.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, serversOf, type TestUser, type World } from '../support/world.ts';
import { openSocket, type Socket } from './socket-client.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(60_000);

const pingMs = 1_000;
const maxConnections = 3;

/** Echoes, except for requests that a test holds. */
const held: (() => void)[] = [];
const runRequest: RunRequest = async ({ body, signal }) => {
  if (body === '"hold"')
    await new Promise<void>((resolve) => {
      held.push(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  return { kind: 'done', result: body };
};
const release = () => {
  for (const resolve of held.splice(0)) resolve();
};

let world: World;
let metricsPort = 0;
let api: ApiProcess;
const environment = () => ({
  ...serversOf(world),
  WEBSOCKET_PING_MS: String(pingMs),
  MAX_USER_WEBSOCKETS: String(maxConnections),
  CORS_ORIGINS: 'https://app.example.com',
  API_METRICS_PORT: String(metricsPort),
});

/** Of the API that serves its metrics. */
const openConnections = async (): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^lanekeeper_api_websockets_open (\d+)$/m.exec(metrics)?.[1]);
};

beforeAll(async () => {
  world = await openWorld();
  world.work(runRequest);
  metricsPort = await getPort({ host: '127.0.0.1' });
  api = await startApi(['functions/api.ts'], environment());
});
afterAll(async () => {
  release();
  const { output } = await api.end();
  // Tokens are three parts of base64url.
  expect(output).not.toMatch(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/);
  await world[Symbol.asyncDispose]();
});

const newUser = async (through = api) => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  const { body } = await through.call({ call: 'POST /register', body: who });
  const logIn = async () => String((await through.call({ call: 'POST /login', body: who })).body.token);
  return { userId: String(body.userId), token: await logIn(), logIn };
};

const queueOf = async (userId: string) => {
  const [found] = await world.stores.userQueues.get([userId]);
  if (!found) throw new Error(`no user queue ${userId}`);
  return found;
};

/** For the helpers that only need to know whose queue it is. */
const asUser = (userId: string): TestUser => ({ userId, sessionId: '', lane: 0 });

const entryOf = async (userId: string, seq: number): Promise<Partial<LedgerEntry>> =>
  (await world.entry(asUser(userId), seq)) ?? {};

const isGone = async (userId: string): Promise<boolean> =>
  (await queueOf(userId)).state === 'closed' && !(await world.userQueueExists(asUser(userId)));

describe('a connection', () => {
  test('enqueues, cancels and looks at the queue like the calls over HTTP', async () => {
    const { userId, token } = await newUser();
    const socket = await openSocket(api.port, token);
    expect(socket.protocol).toBe('lanekeeper');
    const text = '{"id":"a","action":"enqueue","key":"k","request":{"amount":1.0,"big":12345678901234567890}}';
    socket.sendText(text);
    expect(await socket.answerTo('a')).toEqual({ id: 'a', ok: { seq: 1, status: 'queued', position: 1 } });
    await eventually('it is done', async () => (await entryOf(userId, 1)).status === 'done');
    // As it was written.
    expect((await entryOf(userId, 1)).body).toBe('{"amount":1.0,"big":12345678901234567890}');
    expect(await socket.ask('enqueue', { key: 'k', request: 2 })).toMatchObject({
      problem: { code: 'idempotency-key-reused', status: 422 },
    });
    expect(await socket.ask('enqueue', { request: 'hold', maxAttempts: 2 })).toMatchObject({ ok: { seq: 2 } });
    expect(await socket.ask('enqueue', { requests: [{ request: 3, key: 'x' }, { request: 4 }] })).toMatchObject({
      ok: { results: [{ seq: 3 }, { seq: 4 }] },
    });
    expect(await socket.ask('cancel', { seq: 4 })).toMatchObject({ ok: { seq: 4, status: 'cancelled' } });
    expect(await socket.ask('cancel', { seq: 9 })).toMatchObject({
      problem: { code: 'request-not-found', status: 404 },
    });
    expect(await socket.ask('queue')).toMatchObject({ ok: { accepted: 4, state: 'open' } });
    expect(await socket.ask('ping')).toMatchObject({ ok: {} });
    release();
    await socket.close();
    await eventually('the queue is gone', () => isGone(userId));
  });

  test('gets a problem for each message that is wrong, with its id, and goes on', async () => {
    const { token } = await newUser();
    const socket = await openSocket(api.port, token);
    const problemOf = async (fields: object) => (await socket.ask('enqueue', fields)).problem;
    expect(await problemOf({})).toMatchObject({ code: 'invalid-request', status: 400 });
    expect(await problemOf({ request: 1, key: 'a,b' })).toMatchObject({ code: 'invalid-request' });
    expect(await problemOf({ request: 1, timeoutMs: 0 })).toMatchObject({ code: 'invalid-request' });
    expect(await problemOf({ requests: [{ request: 1 }], key: 'k' })).toMatchObject({ code: 'invalid-request' });
    expect(await problemOf({ request: 'x'.repeat(262_144) })).toMatchObject({ code: 'request-too-large', status: 413 });
    expect((await socket.ask('fly')).problem?.detail).toContain('action: must be one of enqueue, cancel, queue');
    expect((await socket.ask('cancel', { seq: '1' })).problem).toMatchObject({ code: 'invalid-request' });
    for (const text of ['', '{', '[]', 'null', '{"action":"ping"}', `{"id":${'['.repeat(200)}`]) {
      const before = socket.frames.length;
      socket.sendText(text);
      const frame = await eventually('a problem', () => socket.frames[before]);
      expect([text, frame]).toMatchObject([text, { problem: { status: 400 } }]);
      expect(frame.id).toBeUndefined();
    }
    expect(await socket.ask('ping')).toMatchObject({ ok: {} });
    await socket.close();
  });

  test('answers messages in their order, however many are sent at once', async () => {
    const { userId, token } = await newUser();
    const socket = await openSocket(api.port, token);
    for (let id = 100; id < 150; id += 1) socket.sendText(JSON.stringify({ id, action: 'enqueue', request: id }));
    await socket.answerTo(149);
    expect(socket.frames.map(({ id, ok }) => [id, ok?.seq])).toEqual(
      Array.from({ length: 50 }, (_, index) => [100 + index, index + 1]),
    );
    await socket.close();
    await eventually('the queue is gone', () => isGone(userId));
  });

  test('is closed for a binary message, and for one that is larger than a call may be', async () => {
    const { token } = await newUser();
    const binary = await openSocket(api.port, token);
    binary.sendText(Buffer.from('{}'));
    expect((await binary.closed).code).toBe(1003);
    const large = await openSocket(api.port, token);
    large.sendText(`{"id":1,"action":"ping","x":"${'x'.repeat(300_000)}"}`);
    expect((await large.closed).code).toBe(1009);
  });
});

describe('the session of a connection', () => {
  test('ends when the socket is cut: the queue drains and is gone, nothing is lost, and the token still reads and enqueues', async () => {
    const { userId, token } = await newUser();
    const socket = await openSocket(api.port, token);
    await socket.ask('enqueue', { request: 'hold' });
    await socket.ask('enqueue', { request: 2 });
    await eventually('the first runs', async () => (await entryOf(userId, 1)).status === 'processing');
    socket.cut();
    await eventually('the session has ended', async () => (await queueOf(userId)).sessions.length === 1);
    expect(await queueOf(userId)).toMatchObject({ state: 'open', sessions: [{ keepsQueue: false }] });
    release();
    await eventually('the queue is gone', () => isGone(userId));
    const read = await api.call({ call: 'GET /requests/2', token });
    expect(read).toMatchObject({ status: 200, body: { status: 'done', result: 2 } });
    expect(await api.call({ call: 'POST /enqueue', body: { request: 3 }, token })).toMatchObject({ status: 202 });
    await eventually('it is done', async () => (await entryOf(userId, 3)).status === 'done');
    await eventually('the queue is gone again', () => isGone(userId));
  });

  test('of one of two connections ends alone, and a new connection with the same token opens the queue again', async () => {
    const { userId, token } = await newUser();
    const [one, other] = [await openSocket(api.port, token), await openSocket(api.port, token)];
    await one.ask('enqueue', { request: 1 });
    one.cut();
    await eventually('one session has ended', async () => (await queueOf(userId)).sessions.length === 2);
    expect(await other.ask('enqueue', { request: 2 })).toMatchObject({ ok: { seq: 2 } });
    await eventually('it is done', async () => (await entryOf(userId, 2)).status === 'done');
    expect(await queueOf(userId)).toMatchObject({ state: 'open' });
    expect(await openConnections()).toBe(1);
    await other.close();
    await eventually('the queue is gone', () => isGone(userId));
    await eventually('none is counted', async () => (await openConnections()) === 0);
    const again = await openSocket(api.port, token);
    expect(await again.ask('enqueue', { request: 3 })).toMatchObject({ ok: { seq: 3 } });
    await eventually('it is done', async () => (await entryOf(userId, 3)).status === 'done');
    expect(await queueOf(userId)).toMatchObject({ state: 'open' });
    await again.close();
  });

  test('beside that of another login keeps the queue no longer open than that', async () => {
    const { userId, token, logIn } = await newUser();
    const otherToken = await logIn();
    const socket = await openSocket(api.port, token);
    await socket.ask('enqueue', { request: 1 });
    socket.cut();
    await eventually('it has ended', async () => (await queueOf(userId)).sessions.length === 2);
    await eventually('it is done', async () => (await entryOf(userId, 1)).status === 'done');
    const { body } = await api.call({ call: 'POST /disconnect?wait=5', body: {}, token: otherToken });
    expect(body).toEqual({ queue: 'closed' });
  });

  test('is extended as long as the client answers pings, and ends within two when it does not', async () => {
    const [alive, silent, stopped] = [await newUser(), await newUser(), await newUser()];
    const answering = await openSocket(api.port, alive.token);
    const deaf = await openSocket(api.port, silent.token, { autoPong: false });
    await deaf.ask('enqueue', { request: 1 });
    const unread = await openSocket(api.port, stopped.token);
    unread.pause();
    const since = performance.now();
    expect((await deaf.closed).code).toBe(1006);
    expect(performance.now() - since).toBeLessThan(2.5 * pingMs);
    await eventually('the queue is gone', () => isGone(silent.userId));
    await eventually(
      'who reads nothing has gone too',
      async () => (await queueOf(stopped.userId)).sessions.length === 1,
    );
    expect(performance.now() - since).toBeLessThan(3 * pingMs);
    unread.cut();
    await new Promise((resolve) => setTimeout(resolve, 3.5 * pingMs - (performance.now() - since)));
    expect(await answering.ask('enqueue', { request: 1 })).toMatchObject({ ok: { seq: 1 } });
    expect((await queueOf(alive.userId)).sessions).toHaveLength(2);
    await answering.close();
  });

  test('ends with its login, and its connection is closed', async () => {
    const { userId, token, logIn } = await newUser();
    const socket = await openSocket(api.port, token);
    expect(await api.call({ call: 'POST /disconnect?wait=5', body: {}, token })).toMatchObject({
      body: { queue: 'closed' },
    });
    expect((await queueOf(userId)).sessions).toEqual([]);
    expect(await socket.ask('enqueue', { request: 1 })).toMatchObject({ problem: { code: 'session-ended' } });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'The session has ended.' });
    const [own, other] = [await logIn(), await logIn()];
    const sockets = [await openSocket(api.port, own), await openSocket(api.port, other)];
    expect(await api.call({ call: 'DELETE /sessions', token: own })).toMatchObject({ body: { ended: 2 } });
    expect((await sockets[1]?.closed)?.code).toBe(4401);
    expect(sockets[0]?.isOpen()).toBe(true);
    await sockets[0]?.close();
  });
});

describe('events', () => {
  const settledIn = (socket: Socket): number[] =>
    socket.events().flatMap(({ type, request }) => (type === 'settled' ? [Number(request?.seq)] : []));

  test('tell what happens to each request, with its result, and go on behind a cursor without gaps and without repeats', async () => {
    const { userId, token } = await newUser();
    const first = await openSocket(api.port, token);
    expect(await first.ask('subscribe')).toMatchObject({ ok: {} });
    for (const request of ['a', 'b', 'hold']) await first.ask('enqueue', { request });
    await eventually('two are settled', () => settledIn(first).length === 2);
    const told = first.events().filter(({ request }) => request?.seq === 1);
    expect(told.at(-1)).toMatchObject({ type: 'settled', request: { status: 'done', result: 'a' } });
    expect(told.filter(({ type }) => type === 'settled')).toHaveLength(1);
    expect(told.some(({ request }) => request && 'body' in request)).toBe(false);
    await eventually('the third runs', () =>
      first.events().find((one) => one.type === 'started' && one.request?.seq === 3),
    );
    await eventually('the queue is told', () => first.events().find(({ type }) => type === 'queue'));
    const after = first.events().findLast(({ id }) => id)?.id;
    first.cut();
    await eventually('its session has ended', async () => (await queueOf(userId)).sessions.length === 1);
    const second = await openSocket(api.port, token);
    await second.ask('enqueue', { request: 'd' });
    release();
    await second.ask('subscribe', { after });
    await eventually('all are settled', () => settledIn(second).length === 2);
    expect(settledIn(second)).toEqual([3, 4]);
    await second.close();
  });

  test('of one request end with it, and another subscription takes the place of the first', async () => {
    const { token } = await newUser();
    const socket = await openSocket(api.port, token);
    await socket.ask('enqueue', { request: 1 });
    await socket.ask('enqueue', { request: 'hold' });
    await socket.ask('subscribe', { after: '0' });
    await eventually('the first is settled', () => settledIn(socket).length === 1);
    await socket.ask('subscribe', { seq: 2 });
    release();
    await eventually('it ends', () => socket.events().find(({ type }) => type === 'ended'));
    expect(settledIn(socket)).toEqual([1, 2]);
    expect(socket.events().filter(({ type }) => type === 'ended')).toHaveLength(1);
    expect(await socket.ask('subscribe', { after: 'x' })).toMatchObject({ problem: { code: 'invalid-request' } });
    await socket.ask('subscribe', { after: '1' });
    await eventually('the second is told again', () => settledIn(socket).length === 3);
    await socket.ask('unsubscribe');
    const { length } = socket.events();
    await socket.ask('enqueue', { request: 3 });
    await eventually('it is done', async () => (await socket.ask('queue')).ok?.settled === 3);
    expect(socket.events()).toHaveLength(length);
    await socket.close();
  });

  test('may be watched with a stream token, which keeps no queue open and ends with its session', async () => {
    const { userId, token } = await newUser();
    const { body } = await api.call({ call: 'POST /stream-token', token });
    const watcher = await openSocket(api.port, '', { protocols: [], path: `/ws?token=${body.token}` });
    expect((await queueOf(userId)).sessions).toHaveLength(1);
    expect(await watcher.ask('enqueue', { request: 1 })).toMatchObject({
      problem: { code: 'read-only-connection', status: 403 },
    });
    expect(await watcher.ask('cancel', { seq: 1 })).toMatchObject({ problem: { code: 'read-only-connection' } });
    await watcher.ask('subscribe');
    await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
    await eventually('it is told', () => settledIn(watcher).length === 1);
    expect(await watcher.ask('queue')).toMatchObject({ ok: { accepted: 1 } });
    const left = await api.call({ call: 'POST /disconnect?wait=5', body: {}, token });
    expect(left.body).toEqual({ queue: 'closed' });
    expect((await watcher.closed).code).toBe(4401);
    await expect(openSocket(api.port, String(body.token))).rejects.toThrow(/^401/);
    const late = openSocket(api.port, '', { protocols: [], path: `/ws?token=${body.token}` });
    await expect(late).rejects.toThrow(/^401 .*session-ended/);
  });
});

describe('a handshake', () => {
  test.each([
    ['without a token', { protocols: ['lanekeeper'] }, 401, 'missing-token'],
    ['with a wrong token', { protocols: ['lanekeeper', 'token.x.y.z'] }, 401, 'invalid-token'],
    ['on another path', { path: '/enqueue' }, 404, 'not-found'],
    ['from a foreign page', { headers: { origin: 'https://evil.example.com' } }, 403, 'origin-not-allowed'],
  ])('%s is refused', async (_what, options, status, code) => {
    const { token } = await newUser();
    const refused = openSocket(api.port, token, options);
    await expect(refused).rejects.toThrow(new RegExp(`^${status} .*"code":"${code}"`));
  });

  test('with an API key is refused, and with the token in a header it is not', async () => {
    const { token } = await newUser();
    const key = String((await createApiKey({ name: uniqueName('key'), scopes: ['enqueue'] }, world.stores))?.secret);
    const asKey = { protocols: [], headers: { authorization: `Bearer ${key}` } };
    await expect(openSocket(api.port, token, asKey)).rejects.toThrow(/^403 .*key-not-accepted/);
    const asToken = { protocols: [], headers: { authorization: `Bearer ${token}` } };
    const socket = await openSocket(api.port, token, asToken);
    expect(socket.protocol).toBe('');
    await socket.close();
  });

  test('from an allowed page is accepted, up to the connections that a user may have', async () => {
    const { token } = await newUser();
    const headers = { origin: 'https://app.example.com' };
    const open = () => openSocket(api.port, token, { headers });
    const sockets = await Promise.all(Array.from({ length: maxConnections }, open));
    await expect(open()).rejects.toThrow(/^429 .*too-many-connections/);
    await sockets[0]?.close();
    sockets.push(await eventually('there is room again', () => open().catch(() => undefined)));
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  test('with the token of a session that has ended is refused', async () => {
    const { token } = await newUser();
    await api.call({ call: 'POST /disconnect', body: {}, token });
    await expect(openSocket(api.port, token)).rejects.toThrow(/^401 .*session-ended/);
  });
});

describe('an API that ends', () => {
  test('by SIGTERM closes its connections with 1001, and the queue stays open for those that connect elsewhere', async () => {
    const first = await startApi(['functions/api.ts'], { ...environment(), API_METRICS_PORT: '' });
    const { userId, token } = await newUser();
    const socket = await openSocket(first.port, token);
    await socket.ask('enqueue', { request: 'hold' });
    const ended = first.end();
    expect((await socket.closed).code).toBe(1001);
    const again = await openSocket(api.port, token);
    expect((await ended).status).toBe(0);
    expect(await again.ask('enqueue', { request: 2 })).toMatchObject({ ok: { seq: 2 } });
    release();
    await eventually('both are done', async () => (await entryOf(userId, 2)).status === 'done');
    expect(await queueOf(userId)).toMatchObject({ state: 'open' });
    await again.close();
    await eventually('the queue is gone', () => isGone(userId), 5 * pingMs + 5_000);
  });

  test('by SIGKILL leaves sessions that expire, and the queue ends', async () => {
    const first = await startApi(['functions/api.ts'], { ...environment(), API_METRICS_PORT: '' });
    const { userId, token } = await newUser();
    const socket = await openSocket(first.port, token);
    await socket.ask('enqueue', { request: 1 });
    const since = performance.now();
    first.signal('SIGKILL');
    await socket.closed;
    await eventually('the queue is gone', () => isGone(userId), 3 * pingMs + 5_000);
    expect(performance.now() - since).toBeGreaterThan(pingMs);
    expect(await entryOf(userId, 1)).toMatchObject({ status: 'done' });
    await first.end();
  });
});
