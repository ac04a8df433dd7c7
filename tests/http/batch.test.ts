/** Several requests in one call. One scenario for both drivers, on real servers and a real worker. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { closeFunctionDeps } from '../../lib/compose/functions.ts';
import type { RunRequest } from '../../lib/ports.ts';
import { mongodbUrl, rabbitmqUrl, tokenSecret, uniqueName } from '../support/servers.ts';
import { openWorld, type World } from '../support/world.ts';
import { type Driver, directDriver, gatewayDriver } from './drivers.ts';

const name = uniqueName('batch');
const maxPending = 150;
const environment = {
  MONGODB_URL: mongodbUrl(name),
  RABBITMQ_URL: rabbitmqUrl(),
  QUEUE_PREFIX: `${name}.`,
  LANES: '2',
  JWT_SECRET: tokenSecret,
  BCRYPT_COST: '4',
  LOGINS_PER_MINUTE: '0',
  REGISTRATIONS_PER_HOUR: '0',
  MAX_PENDING: String(maxPending),
  LOG_LEVEL: 'silent',
};

/** What ran, in its order, by user. */
const ran = new Map<string, string[]>();
const runRequest: RunRequest = async ({ body, userId }) => {
  ran.set(userId, [...(ran.get(userId) ?? []), body]);
  if (body === '"block"') return { kind: 'blocked', error: { name: 'Error', message: 'as asked' }, reason: 'failed' };
  return { kind: 'done', result: body };
};

let world: World;

beforeAll(async () => {
  Object.assign(process.env, environment);
  world = await openWorld({ mongodbUrl: environment.MONGODB_URL, queuePrefix: environment.QUEUE_PREFIX, lanes: 2 });
  world.work(runRequest);
});

afterAll(async () => {
  await closeFunctionDeps();
  await world?.[Symbol.asyncDispose]();
});

const numbered = (count: number, from = 1) => Array.from({ length: count }, (_, index) => ({ request: from + index }));
const seqs = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

describe.each([
  ['a function called directly', directDriver],
  ['the API over HTTP', gatewayDriver],
])('several requests in one call of %s', (_name, open) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await open();
  });
  afterAll(() => driver.close());

  const newUser = async () => {
    const who = { username: uniqueName('user'), password: 'correct horse' };
    const { body } = await driver.call({ call: 'POST /register', body: who });
    const token = String((await driver.call({ call: 'POST /login', body: who })).body.token);
    const userId = String(body.userId);
    const call = (what: string) => driver.call({ call: what, token });
    const send = async (requests: unknown, more: object = {}, headers = {}) => {
      const answer = await driver.call({ call: 'POST /enqueue', body: { requests, ...more }, token, headers });
      return { ...answer, results: (answer.body.results ?? []) as { seq: number; status: string; position: number }[] };
    };
    const accepted = async () => (await world.stores.userQueues.get([userId]))[0]?.accepted;
    return { userId, token, call, send, accepted };
  };

  test('accepts up to 100, with keys and limits of their own, and runs them in their order', async () => {
    const { userId, call, send } = await newUser();
    const requests = [{ request: 1, key: 'first', maxAttempts: 2, timeoutMs: 5_000 }, ...numbered(99, 2)];
    const { status, results } = await send(requests);
    expect(status).toBe(202);
    expect(results).toEqual(seqs(1, 100).map((seq) => ({ seq, status: 'queued', position: seq })));
    expect(await call('GET /requests/100?wait=20')).toMatchObject({ body: { status: 'done', result: 100 } });
    expect(ran.get(userId)).toEqual(seqs(1, 100).map(String));
    const first = await call('GET /requests/1');
    expect(first.body).toMatchObject({ key: 'first', maxAttempts: 2, timeoutMs: 5_000 });
    expect((await call('GET /requests/2')).body).not.toHaveProperty('key');
  });

  test('records the trace of the call with each of its requests, and with a single one; ignores what is none', async () => {
    const { userId, token, send } = await newUser();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await send(numbered(2), {}, { traceparent });
    const enqueue = (headers: Record<string, string>) =>
      driver.call({ call: 'POST /enqueue', body: { request: 3 }, token, headers });
    await enqueue({ traceparent });
    expect(await enqueue({ traceparent: 'none' })).toMatchObject({ status: 202 });
    const entries = await world.stores.ledger.read(seqs(1, 4).map((seq) => ({ userId, seq })));
    const traces = entries.sort((one, other) => one.seq - other.seq).map((entry) => entry.traceparent);
    expect(traces).toEqual([traceparent, traceparent, traceparent, undefined]);
  });

  test('gives the processor each request exactly as it was sent', async () => {
    const { userId, token, call } = await newUser();
    const texts = ['12345678901234567890', '{"b":1, "1":[2,3],"b":[]}', '"],[{\\"request\\":1}"', 'null'];
    const text = `{"requests" : [ ${texts.map((one, index) => `{"key":"${index}","request": ${one} }`).join(' ,\n')} ]}`;
    expect(await driver.call({ call: 'POST /enqueue', text, token })).toMatchObject({ status: 202 });
    await call('GET /requests/4?wait=20');
    expect(ran.get(userId)).toEqual(texts);
  });

  test('answers a repeat of the whole call, and of a part of it beside new requests, with what was accepted', async () => {
    const { send, accepted } = await newUser();
    const requests = [
      { request: 'a', key: 'a' },
      { request: 'b', key: 'b' },
    ];
    await send(requests);
    // As after a lost answer.
    expect((await send(requests)).results.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await accepted()).toBe(2);
    const mixed = await send([{ request: 'c', key: 'c' }, ...requests, { request: 'd' }]);
    expect(mixed.status).toBe(202);
    expect(mixed.results.map(({ seq }) => seq)).toEqual([3, 1, 2, 4]);
    expect(await send([{ request: 'e' }, { request: 'other', key: 'a' }])).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    expect(await accepted()).toBe(4);
  });

  test('accepts none when there is no room for all, and says how many are pending and how many were sent', async () => {
    const { call, send, accepted } = await newUser();
    await send([{ request: 'block' }, ...numbered(99)]);
    await call('GET /requests/1?wait=20');
    const refused = await send(numbered(51));
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-pending' } });
    expect(refused.body.detail).toMatch(/^100 requests are pending, and this call has 51; the limit is 150 /);
    expect(await accepted()).toBe(100);
    expect(await send(numbered(50))).toMatchObject({ status: 202 });
    await call('POST /requests/1/skip');
  });

  test.each([
    ['an empty list', [], {}, 'body.requests: must have 1 to 100 items'],
    ['more than 100', numbered(101), {}, 'body.requests: must have 1 to 100 items'],
    ['as many wrong items as fit', Array(139_000).fill(0), {}, 'body.requests: must have 1 to 100 items'],
    ['no list', 'all', {}, 'body.requests: '],
    ['an item that is no object', [{ request: 1 }, 2], {}, 'body.requests.1: '],
    ['an item without a request', [{ request: 1 }, { key: 'k' }], {}, 'body.requests.1.request: is required'],
    ['an item with a wrong limit', [{ request: 1 }, { request: 1, timeoutMs: 0 }], {}, 'body.requests.1.timeoutMs: '],
    ['an item with a wrong key', [{ request: 1, key: 'a,b' }], {}, 'body.requests.0.key: must be given once'],
    [
      'the same key twice',
      [{ request: 1, key: 'k' }, { request: 2 }, { request: 1, key: 'k' }],
      {},
      'body.requests.2.key: is that of body.requests.0 too',
    ],
    ['a request beside the list', numbered(1), { request: 1 }, 'body.request: belongs into an item'],
    ['a limit beside the list', numbered(1), { maxAttempts: 1 }, 'body.maxAttempts: belongs into an item'],
  ])('refuses %s, and names the item', async (_what, requests, more, detail) => {
    const { send, accepted } = await newUser();
    const refused = await send(requests, more);
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(refused.body.detail).toContain(detail);
    expect(refused.text.length).toBeLessThan(500);
    expect(await accepted()).toBe(0);
  });

  test('lists the first 20 of many errors, and says how many more there are', async () => {
    const { send } = await newUser();
    const { body } = await send(Array(100).fill(0));
    expect(String(body.detail).match(/body\.requests\.\d+: /g)).toHaveLength(20);
    expect(body.detail).toMatch(/; and 80 more$/);
  });

  test('refuses the header for the key, a request that is too large, and a body that is too large', async () => {
    const { send, accepted } = await newUser();
    expect(await send(numbered(1), {}, { 'idempotency-key': 'k' })).toMatchObject({ status: 400 });
    const large = await send([{ request: 1 }, { request: 'x'.repeat(262_143) }]);
    expect(large).toMatchObject({ status: 413, body: { code: 'request-too-large' } });
    expect(large.body.detail).toContain('body.requests.1.request may have at most 262144 bytes');
    expect(await send([{ request: 'x'.repeat(150_000) }, { request: 'x'.repeat(150_000) }])).toMatchObject({
      status: 413,
    });
    expect(await accepted()).toBe(0);
  });

  test('works for a user of a back end, which gets its own call to run one again', async () => {
    const created = await createApiKey({ name: uniqueName('key'), scopes: ['enqueue'] }, world.stores);
    const headers = { authorization: `Bearer ${created?.secret}` };
    const reference = uniqueName('auth0|');
    const path = `POST /users/${encodeURIComponent(reference)}/enqueue`;
    const body = { requests: [{ request: 'block', key: 'k' }, { request: 2 }] };
    const seqsOf = async () =>
      ((await driver.call({ call: path, body, headers })).body.results as { seq: number }[]).map(({ seq }) => seq);
    expect(await seqsOf()).toEqual([1, 2]);
    expect(await seqsOf()).toEqual([1, 3]);
  });
});
