/** Calls that do not succeed at once, against a server that fails as told. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { ApiError, connect, register, UnreachableError } from '../../client/index.ts';
import { freePort } from '../../tools/services/probe.ts';
import { startHttpServer } from '../support/http-server.ts';

type Received = { method?: string; url?: string; token?: string; key?: string; body: string };
type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const json =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
  };
const problem = (status: number, code: string, headers?: Record<string, string>): Answer =>
  json(status, { type: 'about:blank', title: 'No', status, code, detail: `It is ${code}.` }, headers);
const accepted = json(202, { seq: 1, status: 'queued', position: 1 });
const cut: Answer = (response) => void response.socket?.destroy();
/** Half of an answer. */
const cutInside: Answer = (response) => {
  response.writeHead(202, { 'content-type': 'application/json', 'content-length': '400' });
  response.write('{"seq":', () => response.socket?.destroy());
};

/** Answers the calls one after the other; the last answer is repeated. */
const serve = async (...answers: Answer[]) => {
  const received: Received[] = [];
  const server = await startHttpServer(async (request, response) => {
    const { method, url, headers } = request;
    const answer = answers[Math.min(received.length, answers.length - 1)];
    const key = headers['idempotency-key'] as string | undefined;
    received.push({
      method,
      url,
      token: headers.authorization?.replace('Bearer ', ''),
      key,
      body: await text(request),
    });
    answer?.(response, request);
  });
  return Object.assign(server, { received });
};

describe('a call', () => {
  test('is repeated with its key when the connection breaks, the API is busy or asks to wait', async () => {
    const waits = problem(429, 'too-many-pending', { 'retry-after': '0' });
    await using server = await serve(cut, cutInside, problem(503, 'busy', { 'retry-after': '0' }), waits, accepted);
    const lk = await connect(server.url, { token: 't' });
    expect(await lk.enqueue({ amount: 5 })).toMatchObject({ seq: 1 });
    const [first, ...others] = server.received;
    expect(first).toMatchObject({ method: 'POST', url: '/enqueue', token: 't', body: '{"request":{"amount":5}}' });
    expect(first?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(others).toEqual([first, first, first, first]);
  });

  test('waits as long as Retry-After says', async () => {
    await using server = await serve(problem(503, 'draining', { 'retry-after': '1' }), accepted);
    const lk = await connect(server.url, { token: 't' });
    const startedAt = performance.now();
    await lk.enqueue(1);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
  });

  test('is not repeated when it would be refused again', async () => {
    await using server = await serve(problem(429, 'too-many-pending'));
    const lk = await connect(server.url, { token: 't' });
    const error = await lk.enqueue(1).catch((error) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      message: 'It is too-many-pending.',
      problem: { code: 'too-many-pending', status: 429 },
    });
    expect(server.received).toHaveLength(1);
  });

  test('gives up in time, with the last answer', async () => {
    await using server = await serve(problem(503, 'store-unavailable', { 'retry-after': '60' }));
    const lk = await connect(server.url, { token: 't' }, { giveUpAfterMs: 1_000 });
    const error = await lk.enqueue(1).catch((error) => error);
    expect(error).toMatchObject({ problem: { code: 'store-unavailable' }, retryAfterSeconds: 60 });
    expect(server.received).toHaveLength(1);
  });

  test('says that nobody answers', async () => {
    const port = await freePort();
    const lk = await connect(`http://127.0.0.1:${port}`, { token: 't' }, { giveUpAfterMs: 500 });
    const error = await lk.queue().catch((error) => error);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toBe(`http://127.0.0.1:${port} does not answer.`);
  });

  test('ends when its signal aborts', async () => {
    await using server = await serve(cut);
    const lk = await connect(server.url, { token: 't' });
    const over = new AbortController();
    const call = lk.enqueue(1, { signal: over.signal });
    setTimeout(() => over.abort(new Error('enough')), 50);
    await expect(call).rejects.toThrow('enough');
  });

  test('takes an answer of something in between as an unexpected one', async () => {
    await using server = await serve((response) => response.writeHead(404).end('<h1>Not here</h1>'));
    const lk = await connect(server.url, { token: 't' });
    const error = await lk.queue().catch((error) => error);
    expect(error).toMatchObject({ problem: { code: 'unexpected-answer', status: 404 } });
  });
});

describe('the token', () => {
  const login = (token: string, expiresIn = 3_600) => json(200, { token, expiresIn });
  const queue = json(200, { accepted: 0, settled: 0, pending: 0, state: 'open', lane: 1 });
  const tokens = (received: Received[]) => received.map(({ url, token }) => `${url} ${token ?? ''}`.trim());

  test('comes from a login, and from another one when the session has ended', async () => {
    await using server = await serve(login('one'), queue, problem(401, 'session-ended'), login('two'), queue, queue);
    const lk = await connect(server.url, { username: 'ada', password: 'correct horse' });
    await lk.queue();
    await lk.queue();
    await lk.queue();
    const expected = ['/login', '/queue one', '/queue one', '/login', '/queue two', '/queue two'];
    expect(tokens(server.received)).toEqual(expected);
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({ username: 'ada', password: 'correct horse' });
  });

  test('is renewed before the session ends, once for all calls', async () => {
    await using server = await serve(login('one', 0), login('two'), queue);
    const lk = await connect(server.url, { username: 'ada', password: 'correct horse' });
    await Promise.all([lk.queue(), lk.queue(), lk.queue()]);
    expect(tokens(server.received)).toEqual(['/login', '/login', '/queue two', '/queue two', '/queue two']);
  });

  test('is asked for again when it is refused', async () => {
    await using server = await serve(problem(401, 'expired-token'), queue);
    const given = ['old', 'new'];
    const lk = await connect(server.url, { getToken: async () => given.shift() ?? 'none' });
    await lk.queue();
    expect(tokens(server.received)).toEqual(['/queue old', '/queue new']);
  });

  test('that is the only one is refused for good', async () => {
    await using server = await serve(problem(401, 'expired-token'));
    const lk = await connect(server.url, { token: 'old' });
    await expect(lk.queue()).rejects.toMatchObject({ problem: { code: 'expired-token' } });
    expect(server.received).toHaveLength(1);
  });

  test('is not there after a wrong password', async () => {
    await using server = await serve(problem(401, 'invalid-credentials'));
    const connecting = connect(server.url, { username: 'ada', password: 'wrong' });
    await expect(connecting).rejects.toMatchObject({ problem: { code: 'invalid-credentials' } });
    expect(server.received).toHaveLength(1);
  });

  test('of a back end is a key, and its calls are below the reference of the user', async () => {
    await using server = await serve(accepted, queue);
    const lk = await connect(`${server.url}/prod/`, { key: 'lk_1', user: 'auth0|6571' });
    await lk.enqueue(1);
    await lk.queue();
    expect(tokens(server.received)).toEqual([
      '/prod/users/auth0%7C6571/enqueue lk_1',
      '/prod/users/auth0%7C6571/queue lk_1',
    ]);
  });
});

test('registering is repeated too, but not a name that is taken', async () => {
  await using server = await serve(cut, json(201, { userId: 'x', username: 'ada' }), problem(409, 'username-taken'));
  const account = { username: 'ada', password: 'correct horse' };
  await register(server.url, account);
  await expect(register(server.url, account)).rejects.toMatchObject({ problem: { code: 'username-taken' } });
  expect(server.received.map(({ url }) => url)).toEqual(['/register', '/register', '/register']);
});
