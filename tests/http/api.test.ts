/** The contract of the HTTP API: one scenario for both drivers, against real servers and a real worker. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { closeFunctionDeps } from '../../lib/compose/functions.ts';
import type { RunRequest } from '../../lib/ports.ts';
import { mongodbUrl, rabbitmqUrl, tokenSecret, uniqueName } from '../support/servers.ts';
import { openWorld, type World } from '../support/world.ts';
import { type Answer, type Driver, directDriver, gatewayDriver } from './drivers.ts';

const name = uniqueName('http');
const environment = {
  MONGODB_URL: mongodbUrl(name),
  RABBITMQ_URL: rabbitmqUrl(),
  QUEUE_PREFIX: `${name}.`,
  LANES: '2',
  JWT_SECRET: tokenSecret,
  BCRYPT_COST: '4',
  LOGINS_PER_MINUTE: '0',
  REGISTRATIONS_PER_HOUR: '0',
  LOG_LEVEL: 'silent',
  MAX_PENDING: '5',
  MAX_SESSIONS: '3',
};

/** Echoes, except for requests that a test holds or lets fail. */
const runRequest: RunRequest = async ({ body, signal }) => {
  if (body === '"fail"')
    return { kind: 'failed', error: { name: 'Error', message: 'as asked', exposed: true }, reason: 'failed' };
  if (body !== '"hold"') return { kind: 'done', result: body };
  await new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else held.push(resolve);
    signal.addEventListener('abort', resolve);
  });
  return { kind: 'done', result: '"released"' };
};
const held: ((value: undefined) => void)[] = [];
const release = () => {
  for (const resolve of held.splice(0)) resolve(undefined);
};

let world: World;

beforeAll(async () => {
  Object.assign(process.env, environment);
  world = await openWorld({ mongodbUrl: environment.MONGODB_URL, queuePrefix: environment.QUEUE_PREFIX, lanes: 2 });
  world.work(runRequest);
});

afterAll(async () => {
  release();
  await closeFunctionDeps();
  await world?.[Symbol.asyncDispose]();
});

describe.each([
  ['a function called directly', directDriver],
  ['the API over HTTP', gatewayDriver],
])('%s', (_name, open) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await open();
  });
  afterAll(() => driver.close());

  const call: Driver['call'] = (one) => driver.call(one);
  const credentials = () => ({ username: uniqueName('user'), password: 'correct horse' });
  const logIn = async (who: object): Promise<string> =>
    String((await call({ call: 'POST /login', body: who })).body.token);
  const newUser = async () => {
    const who = credentials();
    const { body } = await call({ call: 'POST /register', body: who });
    return { ...who, userId: String(body.userId), token: await logIn(who) };
  };
  const enqueue = (token: string, request: unknown, headers = {}) =>
    call({ call: 'POST /enqueue', body: { request }, token, headers });
  const expectProblem = ({ status, headers, body }: Answer, expected: number, code: string) => {
    expect({ status, code: body.code }).toEqual({ status: expected, code });
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toMatchObject({ type: 'about:blank', title: expect.any(String), status: expected });
  };

  describe('accounts', () => {
    test('a new user registers, logs in, enqueues, sees the result and disconnects; then the token is refused', async () => {
      const who = credentials();
      const registered = await call({ call: 'POST /register', body: who });
      expect(registered).toMatchObject({ status: 201, body: { userId: expect.any(String), username: who.username } });
      const login = await call({ call: 'POST /login', body: who });
      expect(login).toMatchObject({ status: 200, body: { token: expect.any(String), expiresIn: 3_600 } });
      const token = String(login.body.token);

      expect(await enqueue(token, { n: 1 })).toMatchObject({
        status: 202,
        body: { seq: 1, status: 'queued', position: 1 },
      });
      const done = await call({ call: 'GET /requests/1?wait=20', token });
      expect(done).toMatchObject({ status: 200, body: { seq: 1, status: 'done', attempts: 1, result: { n: 1 } } });
      for (const time of ['acceptedAt', 'startedAt', 'settledAt'])
        expect(Date.parse(String(done.body[time]))).not.toBeNaN();
      expect(done.body).not.toHaveProperty('position');

      const disconnected = await call({ call: 'POST /disconnect?wait=20', token });
      expect(disconnected).toMatchObject({ status: 200, body: { queue: 'closed' } });
      expect(await world.userQueueExists({ userId: String(registered.body.userId), sessionId: '', lane: 0 })).toBe(
        false,
      );
      for (const read of ['GET /requests/1', 'GET /requests', 'DELETE /requests/1', 'GET /queue']) {
        expectProblem(await call({ call: read, token }), 401, 'session-ended');
      }
      expectProblem(await enqueue(token, 2), 401, 'session-ended');
      expect(await call({ call: 'POST /disconnect', token })).toMatchObject({ status: 200, body: { queue: 'closed' } });
    });

    test('the calls of the older system work: the token may be in the body, and unknown fields are ignored', async () => {
      const { token } = await newUser();
      const accepted = await call({ call: 'POST /enqueue', body: { token, request: 'Your Message', more: 1 } });
      expect(accepted).toMatchObject({ status: 202, body: { seq: 1 } });
      expect(await call({ call: 'GET /requests/1?wait=20', token })).toMatchObject({
        body: { result: 'Your Message' },
      });
      expect(await call({ call: 'POST /disconnect?wait=20', body: { token } })).toMatchObject({
        body: { queue: 'closed' },
      });
    });

    test('user names that differ only in case are the same', async () => {
      const { username } = await newUser();
      const again = await call({
        call: 'POST /register',
        body: { username: username.toUpperCase(), password: 'another one' },
      });
      expectProblem(again, 409, 'username-taken');
    });

    test.each<[string, object]>([
      ['a name that is too short', { username: 'ab', password: 'correct horse' }],
      ['a name that is too long', { username: 'a'.repeat(65), password: 'correct horse' }],
      ['a name with other characters', { username: 'a b c', password: 'correct horse' }],
      ['a NoSQL operator for a name', { username: { $ne: '' }, password: 'correct horse' }],
      ['a password of 7 bytes', { username: 'somebody', password: '1234567' }],
      ['a password of 73 bytes in 37 characters', { username: 'somebody', password: `a${'ä'.repeat(36)}` }],
      ['a password that is a number', { username: 'somebody', password: 12345678 }],
      ['no password', { username: 'somebody' }],
      ['a body that is an array', []],
    ])('registration refuses %s', async (_what, body) => {
      expectProblem(await call({ call: 'POST /register', body }), 400, 'invalid-request');
    });

    test('an unknown user and a wrong password get the same answer', async () => {
      const { username } = await newUser();
      const wrong = await call({ call: 'POST /login', body: { username, password: 'wrong' } });
      const unknown = await call({ call: 'POST /login', body: { username: uniqueName('nobody'), password: 'wrong' } });
      expectProblem(wrong, 401, 'invalid-credentials');
      expect(unknown.text).toBe(wrong.text);
    });

    test('login refuses a NoSQL operator for a name, and a password longer than bcrypt reads', async () => {
      const body = { username: { $gt: '' }, password: 'correct horse' };
      expectProblem(await call({ call: 'POST /login', body }), 400, 'invalid-request');
      const long = { username: 'somebody', password: 'a'.repeat(73) };
      expectProblem(await call({ call: 'POST /login', body: long }), 400, 'invalid-request');
    });

    test('a user has at most MAX_SESSIONS sessions: a further login ends the oldest', async () => {
      const { token, ...who } = await newUser();
      await logIn(who);
      await logIn(who);
      expect(await call({ call: 'GET /queue', token })).toMatchObject({ status: 200 });
      const newest = await logIn(who);
      expectProblem(await call({ call: 'GET /queue', token }), 401, 'session-ended');
      expect(await call({ call: 'DELETE /sessions', token: newest })).toMatchObject({
        status: 200,
        body: { ended: 2 },
      });
      expect(await call({ call: 'DELETE /sessions', token: newest })).toMatchObject({
        status: 200,
        body: { ended: 0 },
      });
    });
  });

  describe('tokens', () => {
    const calls = [
      'POST /enqueue',
      'GET /requests/1',
      'GET /requests',
      'DELETE /requests/1',
      'DELETE /sessions',
      'GET /queue',
      'POST /disconnect',
    ];
    const body = (one: string) => (one.startsWith('POST') ? { request: 1 } : undefined);
    const in1Hour = () => Math.floor(Date.now() / 1_000) + 3_600;

    test.each(calls)('%s requires one', async (one) => {
      const refused = await call({ call: one, body: body(one) });
      expectProblem(refused, 401, 'missing-token');
      expect(refused.headers['www-authenticate']).toBe('Bearer');
    });

    test.each(calls)('%s refuses one with a wrong signature and one that has expired', async (one) => {
      const forged = jwt.sign({ sub: 'u', sid: 's', exp: in1Hour() }, `${tokenSecret}!`);
      expectProblem(await call({ call: one, token: forged, body: body(one) }), 401, 'invalid-token');
      const old = jwt.sign({ sub: 'u', sid: 's', exp: 1 }, tokenSecret);
      expectProblem(await call({ call: one, token: old, body: body(one) }), 401, 'expired-token');
    });

    test('another scheme in the Authorization header is refused, even with a valid token in the body', async () => {
      const { token } = await newUser();
      const headers = { authorization: 'Basic YTpi' };
      const refused = await call({ call: 'POST /enqueue', body: { token, request: 1 }, headers });
      expectProblem(refused, 401, 'invalid-token');
    });
  });

  describe('enqueue', () => {
    test.each([
      ['null', 'null'],
      ['false', 'false'],
      ['a number beyond what JavaScript holds', '12345678901234567890.5'],
      [
        'keys with a meaning in JavaScript or MongoDB',
        '{"__proto__":{"admin":true},"constructor":1,"$where":"x","a.b":2}',
      ],
      ['duplicate keys, in their order', '{"b":1,"1":2,"b":3}'],
      ['text of every kind', String.raw`"\u0000\ud800 \"request\":{} 💚"`],
      ['500 levels, with the outer object', `${'['.repeat(499)}${']'.repeat(499)}`],
    ])('accepts %s and keeps it exactly as sent', async (_what, text) => {
      const { token, userId } = await newUser();
      expect(await call({ call: 'POST /enqueue', text: `{"request":${text}}`, token })).toMatchObject({ status: 202 });
      const [entry] = await world.stores.ledger.read([{ userId, seq: 1 }]);
      expect(entry?.body).toBe(text);
      const done = await call({ call: 'GET /requests/1?wait=20', token });
      expect(done.text).toContain(`"result":${text}}`);
    });

    test.each([
      ['no request', '{}', 'invalid-request'],
      ['a body that is not an object', '"request"', 'invalid-request'],
      ['no body', '', 'invalid-json'],
      ['malformed JSON', '{"request":', 'invalid-json'],
      [
        'nesting that would overflow a stack',
        `{"request":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
        'invalid-json',
      ],
    ])('refuses %s', async (_what, text, code) => {
      const { token } = await newUser();
      expectProblem(await call({ call: 'POST /enqueue', text, token }), 400, code);
    });

    test('accepts a request of 256 KiB and refuses one byte more, counted in bytes', async () => {
      const { token } = await newUser();
      const filled = (bytes: number) => `${'ä'.repeat((bytes - 2) / 2)}${'a'.repeat(bytes % 2)}`;
      expect(await enqueue(token, filled(262_144))).toMatchObject({ status: 202 });
      expectProblem(await enqueue(token, filled(262_145)), 413, 'request-too-large');
      expectProblem(await call({ call: 'POST /enqueue', text: ' '.repeat(300_000), token }), 413, 'request-too-large');
    });

    test('the same Idempotency-Key means the same request; with another request it is refused', async () => {
      const { token } = await newUser();
      const key = { 'idempotency-key': 'order 7' };
      expect(await enqueue(token, 'a', key)).toMatchObject({ status: 202, body: { seq: 1 } });
      expect(await enqueue(token, 'a', key)).toMatchObject({ status: 202, body: { seq: 1 } });
      expectProblem(await enqueue(token, 'b', key), 422, 'idempotency-key-reused');
      expect(await enqueue(token, 'b')).toMatchObject({ body: { seq: 2 } });
      expect(await call({ call: 'GET /requests/1', token })).toMatchObject({ body: { key: 'order 7' } });
    });

    test('an Idempotency-Key has 1 to 255 printable ASCII characters', async () => {
      const { token } = await newUser();
      expect(await enqueue(token, 1, { 'idempotency-key': 'k'.repeat(255) })).toMatchObject({ status: 202 });
      for (const bad of ['k'.repeat(256), 'schlüssel']) {
        expectProblem(await enqueue(token, 1, { 'idempotency-key': bad }), 400, 'invalid-request');
      }
    });

    test('too many pending requests are refused, with the time to try again', async () => {
      const { token } = await newUser();
      await enqueue(token, 'hold');
      for (let more = 0; more < 4; more += 1) expect(await enqueue(token, more)).toMatchObject({ status: 202 });
      const refused = await enqueue(token, 'one too many');
      expectProblem(refused, 429, 'too-many-pending');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      release();
    });
  });

  describe('requests', () => {
    test('wait ends as soon as the request is settled, or else when the time is over', async () => {
      const { token } = await newUser();
      await enqueue(token, 'hold');
      const early = await call({ call: 'GET /requests/1?wait=0.2', token });
      expect(early).toMatchObject({ status: 200, body: { position: 1 } });
      expect(['queued', 'processing']).toContain(early.body.status);
      const waiting = call({ call: 'GET /requests/1?wait=20', token });
      release();
      const startedAt = Date.now();
      expect(await waiting).toMatchObject({ body: { status: 'done', result: 'released' } });
      expect(Date.now() - startedAt).toBeLessThan(10_000);
    });

    test('is answered with what was asked for where that is wanted, and without it otherwise', async () => {
      const { token } = await newUser();
      const request = { to: 'grace', amounts: [1.5, 0] };
      await enqueue(token, request);
      const shown = await call({ call: 'GET /requests/1?wait=20&include=request', token });
      expect(shown).toMatchObject({ status: 200, body: { seq: 1, status: 'done', request } });
      expect((await call({ call: 'GET /requests/1', token })).body).not.toHaveProperty('request');
      expectProblem(await call({ call: 'GET /requests/1?include=all', token }), 400, 'invalid-request');
    });

    test('a failed request shows its error', async () => {
      const { token } = await newUser();
      await enqueue(token, 'fail');
      const failed = await call({ call: 'GET /requests/1?wait=20', token });
      expect(failed.body).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: { name: 'Error', message: 'as asked' },
      });
      expect(failed.body).not.toHaveProperty('result');
    });

    test('a request that does not exist, or that belongs to another user, is not found', async () => {
      const [one, other] = [await newUser(), await newUser()];
      await enqueue(one.token, 1);
      for (const method of ['GET', 'DELETE']) {
        expectProblem(await call({ call: `${method} /requests/1`, token: other.token }), 404, 'request-not-found');
        expectProblem(await call({ call: `${method} /requests/2`, token: one.token }), 404, 'request-not-found');
      }
    });

    test.each([
      'GET /requests/0',
      'GET /requests/one',
      'GET /requests/1e3',
      'GET /requests/1?wait=21',
      'GET /requests/1?wait=-1',
      'GET /requests?limit=0',
      'GET /requests?limit=101',
      'GET /requests?status=lost',
      'GET /requests?after=x',
      'DELETE /requests/x',
    ])('%s is refused', async (one) => {
      const { token } = await newUser();
      expectProblem(await call({ call: one, token }), 400, 'invalid-request');
    });

    test.each([
      ['GET /requests?limit=0', 'query.limit: must be a whole number from 1 to 100'],
      ['GET /requests/1?wait=20.5', 'query.wait: must be a number of seconds from 0 to 20, with at most 3 decimals'],
    ])('%s is refused with the range: %s', async (one, detail) => {
      const { token } = await newUser();
      expect(await call({ call: one, token })).toMatchObject({ status: 400, body: { detail } });
    });

    test('are listed by seq in pages, and can be filtered by status', async () => {
      const { token } = await newUser();
      await enqueue(token, 'a');
      await enqueue(token, 'fail');
      await enqueue(token, 'c');
      await call({ call: 'GET /requests/3?wait=20', token });
      const seqs = async (query: string) => {
        const { body } = await call({ call: `GET /requests${query}`, token });
        return { seqs: (body.requests as { seq: number }[]).map(({ seq }) => seq), next: body.next };
      };
      expect(await seqs('')).toEqual({ seqs: [1, 2, 3], next: undefined });
      expect(await seqs('?limit=2')).toEqual({ seqs: [1, 2], next: 2 });
      expect(await seqs('?limit=2&after=2')).toEqual({ seqs: [3], next: undefined });
      expect(await seqs('?status=failed')).toEqual({ seqs: [2], next: undefined });
      expect(await seqs('?after=3')).toEqual({ seqs: [], next: undefined });
    });

    test('a queued request can be cancelled, more than once; one that has run cannot', async () => {
      const { token } = await newUser();
      await enqueue(token, 'hold');
      await enqueue(token, 'never');
      const cancelled = { status: 200, body: { seq: 2, status: 'cancelled', attempts: 0 } };
      expect(await call({ call: 'DELETE /requests/2', token })).toMatchObject(cancelled);
      expect(await call({ call: 'DELETE /requests/2', token })).toMatchObject(cancelled);
      release();
      await call({ call: 'GET /requests/1?wait=20', token });
      expectProblem(await call({ call: 'DELETE /requests/1', token }), 409, 'not-cancellable');
      expect(await call({ call: 'GET /requests/2?wait=20', token })).toMatchObject(cancelled);
    });
  });

  describe('the queue', () => {
    test('shows what is accepted, settled and pending, and the age of the oldest pending request', async () => {
      const { token } = await newUser();
      const before = await call({ call: 'GET /queue', token });
      expect(before.body).toEqual({
        ...{ accepted: 0, settled: 0, pending: 0, state: 'closed', lane: expect.any(Number) },
        verdict: { code: 'idle', text: 'Nothing is pending.', sinceMs: expect.any(Number) },
      });
      await enqueue(token, 'hold');
      const during = await call({ call: 'GET /queue', token });
      expect(during.body).toMatchObject({ accepted: 1, settled: 0, pending: 1, state: 'open' });
      expect(during.body.oldestPendingAgeMs).toBeGreaterThanOrEqual(0);
      release();
    });

    test('counts a request as settled as soon as its result can be seen', async () => {
      const { token } = await newUser();
      await enqueue(token, 'quick');
      expect((await call({ call: 'GET /requests/1?wait=5', token })).body).toMatchObject({ status: 'done' });
      const after = await call({ call: 'GET /queue', token });
      expect(after.body).toMatchObject({ accepted: 1, settled: 1, pending: 0 });
    });

    test('drains after the last disconnect, or is cancelled by it', async () => {
      const [drains, cancels] = [await newUser(), await newUser()];
      for (const { token } of [drains, cancels]) {
        await enqueue(token, 'hold');
        await enqueue(token, 'second');
      }
      await call({ call: 'GET /requests/1?wait=0.3', token: drains.token });
      expect(await call({ call: 'POST /disconnect', token: drains.token })).toMatchObject({
        body: { queue: 'draining' },
      });
      const cancel = { call: 'POST /disconnect', body: { pending: 'cancel' }, token: cancels.token };
      expect(await call(cancel)).toMatchObject({ body: { queue: 'draining' } });
      release();
      for (const { token } of [drains, cancels]) {
        expect(await call({ call: 'POST /disconnect?wait=20', token })).toMatchObject({ body: { queue: 'closed' } });
      }
      const second = async (userId: string) => (await world.stores.ledger.read([{ userId, seq: 2 }]))[0]?.status;
      expect(await second(drains.userId)).toBe('done');
      expect(await second(cancels.userId)).toBe('cancelled');
    });

    test('disconnect refuses unknown values', async () => {
      const { token } = await newUser();
      expectProblem(await call({ call: 'POST /disconnect', body: { pending: 'keep' }, token }), 400, 'invalid-request');
      expectProblem(await call({ call: 'POST /disconnect?wait=forever', token }), 400, 'invalid-request');
    });
  });

  test('health shows for both servers whether it answers and how fast, and nothing else; livez asks no server', async () => {
    const { status, body } = await call({ call: 'GET /health' });
    const server = { ok: true, latencyMs: expect.any(Number) };
    expect([status, body]).toEqual([200, { status: 'ok', mongodb: server, rabbitmq: server }]);
    expect(await call({ call: 'GET /livez' })).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});
