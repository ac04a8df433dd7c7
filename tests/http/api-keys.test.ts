/** What a back end does with an API key, for users of its own. One scenario for both drivers, on a real worker. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApiKey, type NewApiKey } from '../../lib/accounts/api-keys.ts';
import { closeFunctionDeps } from '../../lib/compose/functions.ts';
import { handlerOf, readRoutes } from '../../lib/gateway/routes.ts';
import type { KeyScope } from '../../lib/key-scopes.ts';
import type { RunRequest } from '../../lib/ports.ts';
import { userIdOf } from '../../lib/references.ts';
import { mongodbUrl, rabbitmqUrl, tokenSecret, uniqueName } from '../support/servers.ts';
import { openWorld, type World } from '../support/world.ts';
import { type Answer, type ApiCall, type Driver, directDriver, gatewayDriver } from './drivers.ts';

const name = uniqueName('keys');
const environment = {
  MONGODB_URL: mongodbUrl(name),
  RABBITMQ_URL: rabbitmqUrl(),
  QUEUE_PREFIX: `${name}.`,
  LANES: '2',
  JWT_SECRET: tokenSecret,
  BCRYPT_COST: '4',
  LOGINS_PER_MINUTE: '0',
  REGISTRATIONS_PER_HOUR: '0',
  MAX_PENDING: '3',
  LOG_LEVEL: 'silent',
};

/** Echoes the request and its user, except for requests that a test blocks, or lets fail. */
const runRequest: RunRequest = async ({ body, user }) => {
  const error = { name: 'Error', message: 'as asked', exposed: true };
  if (body.startsWith('"block')) return { kind: 'blocked', error, reason: 'failed' };
  if (body.startsWith('"fail')) return { kind: 'failed', error, reason: 'failed' };
  return { kind: 'done', result: `[${JSON.stringify(user)},${body}]` };
};

let world: World;

beforeAll(async () => {
  Object.assign(process.env, environment);
  const config = { queuePrefix: environment.QUEUE_PREFIX, lanes: 2, sweepMs: 600_000, stuckAfterMs: 600_000 };
  world = await openWorld({ mongodbUrl: environment.MONGODB_URL, ...config });
  world.work(runRequest);
});

afterAll(async () => {
  await closeFunctionDeps();
  await world?.[Symbol.asyncDispose]();
});

const newKey = async (scopes: KeyScope[], more: Partial<NewApiKey> = {}): Promise<string> => {
  const created = await createApiKey({ name: uniqueName('key'), scopes, ...more }, world.stores);
  if (!created) throw new Error('The name is taken.');
  return created.secret;
};

const routeOf = (reference: string, path: string) => {
  const [method, rest] = path.split(' /');
  return `${method} /users/${encodeURIComponent(reference)}/${rest}`;
};

describe.each([
  ['a function called directly', directDriver],
  ['the API over HTTP', gatewayDriver],
])('%s', (_name, open) => {
  let driver: Driver;
  let token: string;
  beforeAll(async () => {
    driver = await open();
    token = await newKey(['enqueue', 'read']);
  });
  afterAll(() => driver.close());

  const call = (one: ApiCall) => driver.call(one);
  const forUser = (reference: string, path: string, more: Partial<ApiCall> = {}) =>
    call({ call: routeOf(reference, path), token, ...more });
  const enqueue = (reference: string, request: unknown, headers = {}) =>
    forUser(reference, 'POST /enqueue', { body: { request }, headers });
  const result = async (reference: string, seq: number) => {
    const answer = await forUser(reference, `GET /requests/${seq}?wait=20`);
    return { status: answer.body.status, result: answer.body.result };
  };
  const expectProblem = ({ status, body }: Answer, expected: number, code: string) =>
    expect({ status, code: body.code }).toEqual({ status: expected, code });
  const newAccount = async () => {
    const who = { username: uniqueName('user'), password: 'correct horse' };
    const { body } = await call({ call: 'POST /register', body: who });
    const login = await call({ call: 'POST /login', body: who });
    return { ...who, userId: String(body.userId), token: String(login.body.token) };
  };
  const newOperator = async () => {
    const account = await newAccount();
    await world.stores.accounts.setRole(account.username, 'operator');
    return account;
  };

  const references = [
    'auth0|6571',
    'ada@example.com',
    '17',
    'a/b',
    'ä',
    '%2F',
    'a/requests/1',
    '?as=operator#x',
    ' a  b ',
    '+',
    '日本 🚀',
    'x'.repeat(128),
  ];

  test.each(references)('enqueues for %j with one call: no account, no login', async (reference) => {
    const user = `${reference}`.length < 100 ? `${reference}${uniqueName('')}` : reference.slice(15) + uniqueName('');
    expect(await enqueue(user, 'hello')).toMatchObject({
      status: 202,
      body: { seq: 1, status: 'queued', position: 1 },
    });
    expect(await result(user, 1)).toEqual({ status: 'done', result: [user, 'hello'] });
    const [queue] = await world.stores.userQueues.get([userIdOf(user)]);
    expect(queue).toMatchObject({ user, accepted: 1 });
  });

  test.each<[string, string]>([
    ['has a control character', '%0A'],
    ['is too long', 'x'.repeat(129)],
    ['has a format character', '%E2%80%8B'],
  ])('refuses a reference that %s', async (_what, reference) => {
    const body = { request: 1 };
    expectProblem(await call({ call: `POST /users/${reference}/enqueue`, token, body }), 400, 'invalid-reference');
    expectProblem(await call({ call: `GET /users/${reference}/queue`, token }), 400, 'invalid-reference');
  });

  test('a user that was never used has an empty, closed queue and no requests', async () => {
    const user = uniqueName('nobody');
    const queue = { accepted: 0, settled: 0, pending: 0, state: 'closed', lane: expect.any(Number) };
    expect(await forUser(user, 'GET /queue')).toMatchObject({ status: 200, body: queue });
    expect(await forUser(user, 'GET /requests')).toMatchObject({ status: 200, body: { requests: [] } });
    expectProblem(await forUser(user, 'GET /requests/1'), 404, 'request-not-found');
    for (const path of ['DELETE /requests/1', 'POST /requests/1/retry', 'POST /requests/1/skip'])
      expectProblem(await forUser(user, path), 404, 'request-not-found');
    expect(await forUser(user, 'POST /disconnect?wait=1')).toMatchObject({ status: 200, body: { queue: 'closed' } });
    expect(await world.stores.userQueues.get([userIdOf(user)])).toEqual([]);
  });

  test('does all that a user can do with its own queue', async () => {
    const user = uniqueName('device/1');
    for (const request of ['block', 'b', 'c']) await enqueue(user, request);
    expect(await result(user, 1)).toMatchObject({ status: 'blocked' });
    expectProblem(await enqueue(user, 'too many'), 429, 'too-many-pending');
    expect(await forUser(user, 'DELETE /requests/3')).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await forUser(user, 'POST /requests/1/skip')).toMatchObject({ status: 200, body: { status: 'failed' } });
    expect(await result(user, 2)).toEqual({ status: 'done', result: [user, 'b'] });
    const retried = await forUser(user, 'POST /requests/1/retry');
    expect(retried).toMatchObject({ status: 202, body: { seq: 4, retryOf: 1 } });
    expect(await result(user, 4)).toMatchObject({ status: 'blocked' });
    const failed = await forUser(user, 'GET /requests?status=failed');
    expect(failed.body.requests).toMatchObject([{ seq: 1, error: { message: 'as asked' } }]);
    expect((await forUser(user, 'GET /queue')).body).toMatchObject({ accepted: 4, pending: 1, state: 'open' });
    const left = await forUser(user, 'POST /disconnect?wait=20', { body: { pending: 'cancel' } });
    expect(left).toMatchObject({ status: 200, body: { queue: 'closed' } });
    // The next request opens the queue again.
    await enqueue(user, 'again');
    expect(await result(user, 5)).toMatchObject({ status: 'done' });
  });

  test('an Idempotency-Key is accepted once for each user, and the answer names the call that retries', async () => {
    const [one, other] = [uniqueName('one /'), uniqueName('other')];
    const headers = { 'idempotency-key': 'order-17' };
    await enqueue(one, 'fail', headers);
    await result(one, 1);
    const again = await enqueue(one, 'fail', headers);
    const path = `/users/${encodeURIComponent(one)}/requests/1/retry`;
    expect(again.body).toEqual({ seq: 1, status: 'failed', position: 0, retry: `POST ${path}` });
    expect(await call({ call: `POST ${path}`, token })).toMatchObject({ status: 202 });
    expectProblem(await enqueue(one, 'another', headers), 422, 'idempotency-key-reused');
    expect(await enqueue(other, 'fail', headers)).toMatchObject({ status: 202, body: { seq: 1, status: 'queued' } });
  });

  test('a reference and the account of the same name are two users', async () => {
    const account = await newAccount();
    await enqueue(account.username, 'for the reference');
    await result(account.username, 1);
    const own = { token: account.token };
    expectProblem(await call({ call: 'GET /requests/1', ...own }), 404, 'request-not-found');
    await call({ call: 'POST /enqueue', body: { request: 'for the account' }, ...own });
    expect(await call({ call: 'GET /requests/1?wait=20', ...own })).toMatchObject({
      body: { result: [account.username, 'for the account'] },
    });
    expectProblem(await forUser(account.userId, 'GET /requests/1'), 404, 'request-not-found');
  });

  describe('a key', () => {
    const forUsers: [route: string, scope: KeyScope][] = [
      ['POST /users/u/enqueue', 'enqueue'],
      ['POST /users/u/disconnect', 'enqueue'],
      ['DELETE /users/u/requests/1', 'enqueue'],
      ['POST /users/u/requests/1/retry', 'enqueue'],
      ['POST /users/u/requests/1/skip', 'enqueue'],
      ['GET /users/u/requests/1', 'read'],
      ['GET /users/u/requests', 'read'],
      ['GET /users/u/queue', 'read'],
    ];
    const asOperator: [route: string, scope: KeyScope][] = [
      'DELETE /users/u/requests/1?as=operator',
      'POST /users/u/requests/1/retry?as=operator',
      'POST /users/u/requests/1/skip?as=operator',
      'GET /users/u/requests/1?as=operator',
      'GET /users/u/requests?as=operator',
      'GET /users/u/queue?as=operator',
      'GET /stuck',
      'GET /dead-letters',
      'POST /dead-letters/retry',
      'POST /dead-letters/drop',
    ].map((route) => [route, 'operate']);
    const own = ['POST /enqueue', 'GET /requests', 'GET /requests/1', 'DELETE /requests/1', 'POST /requests/1/retry'];
    own.push('POST /requests/1/skip', 'GET /queue', 'POST /disconnect', 'DELETE /sessions');
    const body = (route: string) =>
      route.startsWith('POST') ? { items: [{ user: 'u', seq: 1 }], request: 1 } : undefined;

    test('of one scope is refused on every route that needs another', async () => {
      const keys = {
        enqueue: await newKey(['enqueue']),
        read: await newKey(['read']),
        operate: await newKey(['operate']),
      };
      for (const [route, scope] of [...forUsers, ...asOperator]) {
        for (const [has, key] of Object.entries(keys)) {
          const answer = await call({ call: route, token: key, body: body(route) });
          const refused = [answer.body.code === 'insufficient-scope', answer.status === 403];
          expect([route, has, ...refused]).toEqual([route, has, has !== scope, has !== scope]);
          if (has !== scope)
            expect(answer.body.detail).toBe(`This call needs a key with the scope ${scope}; yours has ${has}.`);
        }
      }
      await world.stores.userQueues.removeSession(userIdOf('u'), 'reference');
    });

    test('is refused where a user calls for itself', async () => {
      const key = await newKey(['enqueue', 'read', 'operate']);
      for (const route of own) {
        expectProblem(await call({ call: route, token: key, body: body(route) }), 403, 'key-not-accepted');
      }
    });

    test('is not taken from the body', async () => {
      const sent = { request: 1, token };
      expectProblem(await call({ call: 'POST /users/u/enqueue', body: sent }), 401, 'invalid-token');
    });

    test.each<[string, (key: string) => string]>([
      ['of another secret', (key) => key.slice(0, -6) + (key.endsWith('000000') ? '111111' : '000000')],
      ['of another id', (key) => `lk_${'0'.repeat(12)}${key.slice(15)}`],
      ['that is cut', (key) => key.slice(0, -1)],
      ['of an empty secret', (key) => key.slice(0, 16)],
    ])('%s is refused on every route', async (_what, change) => {
      const wrong = change(await newKey(['enqueue', 'read', 'operate']));
      for (const [route] of [...forUsers, ...asOperator, ...own.map((one) => [one])]) {
        const answer = await call({ call: route as string, token: wrong, body: body(route as string) });
        expectProblem(answer, 401, 'invalid-key');
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
    });

    test('that was revoked is refused at its next call', async () => {
      const key = await newKey(['read']);
      const look = () => call({ call: 'GET /users/u/queue', token: key });
      expect(await look()).toMatchObject({ status: 200 });
      await world.stores.apiKeys.revoke(key.slice(3, 15));
      expectProblem(await look(), 401, 'invalid-key');
    });

    test('that has expired is refused, and told so', async () => {
      const key = await newKey(['read'], { expiresAt: new Date(Date.now() - 1_000) });
      const answer = await call({ call: 'GET /users/u/queue', token: key });
      expectProblem(answer, 401, 'invalid-key');
      expect(answer.body.detail).toContain('expired at');
      const living = await newKey(['read'], { expiresAt: new Date(Date.now() + 600_000) });
      expect(await call({ call: 'GET /users/u/queue', token: living })).toMatchObject({ status: 200 });
    });

    test('above its rate is refused, and says when it may call again', async () => {
      const key = await newKey(['read'], { ratePerSecond: 3 });
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => call({ call: 'GET /users/u/queue', token: key })),
      );
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused.length).toBeGreaterThan(0);
      for (const answer of refused) {
        expectProblem(answer, 429, 'key-rate-exceeded');
        expect(answer.headers['retry-after']).toBe('1');
      }
      expect(await call({ call: 'GET /users/u/queue', token })).toMatchObject({ status: 200 });
    });

    test('has its last use recorded', async () => {
      const key = await newKey(['read']);
      const lastUse = async () => (await world.stores.apiKeys.find(key.slice(3, 15)))?.lastUsedAt;
      expect(await lastUse()).toBeUndefined();
      await call({ call: 'GET /users/u/queue', token: key });
      expect(await lastUse()).toEqual(expect.any(Date));
    });
  });

  test('the token of a session opens no user of a back end', async () => {
    const [user, operator] = [await newAccount(), await newOperator()];
    for (const { token: session } of [user, operator]) {
      for (const route of ['POST /users/u/enqueue', 'GET /users/u/queue', 'POST /users/u/disconnect']) {
        const body = route.startsWith('POST') ? { request: 1 } : undefined;
        expectProblem(await call({ call: route, token: session, body }), 403, 'key-required');
      }
      const inBody = { request: 1, token: session };
      expectProblem(await call({ call: 'POST /users/u/enqueue', body: inBody }), 403, 'key-required');
    }
    expectProblem(await call({ call: 'GET /users/u/queue' }), 401, 'missing-token');
    expectProblem(await call({ call: 'GET /users/u/queue?as=operator', token: user.token }), 403, 'not-an-operator');
  });

  describe('an operator', () => {
    const withToken = { operator: newOperator, key: async () => ({ token: await newKey(['operate']) }) };

    test.each(Object.entries(withToken))(
      '(%s) names a user by its name, its reference or its id',
      async (_who, make) => {
        const { token: operator } = await make();
        const [account, reference] = [await newAccount(), uniqueName('ref/1')];
        await call({ call: 'POST /enqueue', token: account.token, body: { request: 'fail a' } });
        await enqueue(reference, 'fail b');
        await result(reference, 1);
        await call({ call: 'GET /requests/1?wait=20', token: account.token });
        const ofAccount = [account.username, account.userId, `name:${account.username}`, `id:${account.userId}`];
        const ofReference = [reference, userIdOf(reference), `reference:${reference}`, `id:${userIdOf(reference)}`];
        for (const text of [...ofAccount, ...ofReference]) {
          const encoded = encodeURIComponent(text);
          const user = ofAccount.includes(text) ? account.username : reference;
          const listed = await call({ call: `GET /dead-letters?user=${encoded}`, token: operator });
          expect([text, listed.body.deadLetters]).toMatchObject([text, [{ seq: 1, user }]]);
          const page = await call({ call: `GET /users/${encoded}/requests?as=operator`, token: operator });
          expect([text, page.body.requests]).toMatchObject([text, [{ seq: 1, status: 'failed' }]]);
        }
        const retry = (items: object[]) => call({ call: 'POST /dead-letters/retry', token: operator, body: { items } });
        const results = [
          { userId: account.userId, seq: 1, result: 'retried', retriedAs: 2 },
          { userId: userIdOf(reference), seq: 1, result: 'retried', retriedAs: 2 },
        ];
        const items = [
          { user: account.username, seq: 1 },
          { userId: reference, seq: 1 },
        ];
        expect((await retry(items)).body.results).toMatchObject(results);
        const drop = { call: 'POST /dead-letters/drop', token: operator, body: { user: reference } };
        await result(reference, 2);
        expect((await call(drop)).body).toMatchObject({ decided: 1 });
      },
    );

    test('is told that there is no such user', async () => {
      const operator = await newKey(['operate']);
      const nobody = uniqueName('nobody');
      const calls: ApiCall[] = [
        { call: `GET /dead-letters?user=${nobody}` },
        { call: `GET /dead-letters?userId=${nobody}` },
        { call: 'POST /dead-letters/retry', body: { userId: nobody } },
        { call: 'POST /dead-letters/drop', body: { user: nobody } },
        { call: `GET /users/${nobody}/requests?as=operator` },
        { call: `GET /users/id:${nobody}/queue?as=operator` },
        { call: `POST /users/${nobody}/requests/1/skip?as=operator` },
      ];
      for (const one of calls) expectProblem(await call({ ...one, token: operator }), 404, 'no-such-user');
    });

    test('is told when a text names two users, and how to name each', async () => {
      const operator = await newKey(['operate']);
      const account = await newAccount();
      await enqueue(account.username, 'for the reference');
      const look = (text: string) =>
        call({ call: `GET /users/${encodeURIComponent(text)}/requests?as=operator`, token: operator });
      const answer = await look(account.username);
      expectProblem(answer, 409, 'ambiguous-user');
      expect(answer.body.detail).toContain(`"name:${account.username}" (id ${account.userId})`);
      expect(answer.body.detail).toContain(`"reference:${account.username}" (id ${userIdOf(account.username)})`);
      expect((await look(`name:${account.username}`)).body.requests).toEqual([]);
      expect((await look(`reference:${account.username}`)).body.requests).toMatchObject([{ seq: 1 }]);
      // A reference with a prefix must not be taken for what the prefix says.
      await enqueue(`name:${account.username}`, 'for the other reference');
      expectProblem(await look(`name:${account.username}`), 409, 'ambiguous-user');
      expect((await look(`id:${account.userId.toUpperCase()}`)).body.requests).toEqual([]);
      const decide = { user: account.username, seq: 1 };
      const answers = await call({ call: 'POST /dead-letters/drop', token: operator, body: { items: [decide] } });
      expect(answers.body.results).toMatchObject([{ ...decide, result: 'refused', code: 'ambiguous-user' }]);
    });

    test('decides about a request of an account, but neither enqueues nor disconnects for it', async () => {
      const { token: operator } = await newOperator();
      const account = await newAccount();
      for (const request of ['block', 'fail']) {
        await call({ call: 'POST /enqueue', token: account.token, body: { request } });
      }
      await call({ call: 'GET /requests/1?wait=20', token: account.token });
      const decide = (path: string) => call({ call: `${path}?as=operator`, token: operator });
      const at = `/users/${account.username}`;
      expect(await decide(`POST ${at}/requests/1/skip`)).toMatchObject({ status: 200, body: { status: 'failed' } });
      await call({ call: 'GET /requests/2?wait=20', token: account.token });
      expect(await decide(`POST ${at}/requests/2/retry`)).toMatchObject({ status: 202, body: { seq: 3 } });
      expect(await decide(`GET ${at}/queue`)).toMatchObject({ status: 200, body: { accepted: 3 } });
      for (const path of ['enqueue', 'disconnect']) {
        expectProblem(await decide(`POST ${at}/${path}`), 400, 'invalid-request');
      }
      expectProblem(await call({ call: `GET ${at}/queue?as=admin`, token: operator }), 400, 'invalid-request');
    });
  });
});

test('whoever calls a function without a gateway cannot bring a key or a caller along', async () => {
  const driver = await directDriver();
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await driver.call({ call: 'POST /register', body: who });
  const { token } = (await driver.call({ call: 'POST /login', body: who })).body;
  const forged = {
    apiKey: { id: 'x', scopes: ['enqueue', 'read', 'operate'] },
    identity: { userId: 'u', sessionId: 's' },
    caller: { userId: 'u', reference: 'u' },
    userQueue: { userId: 'u', sessions: [], settled: 0, accepted: 0 },
  };
  const routes = await readRoutes();
  const statusOf = async (wanted: string, headers: object) => {
    const route = routes.find(({ method, path }) => `${method} ${path}` === wanted);
    if (!route) throw new Error(`There is no route ${wanted}.`);
    const handler = await handlerOf<(event: object, context: object) => Promise<{ statusCode: number }>>(route);
    const http = { method: route.method, path: route.path, sourceIp: '192.0.2.1' };
    const event = {
      version: '2.0',
      routeKey: wanted,
      rawPath: route.path,
      requestContext: { http },
      headers,
      ...forged,
    };
    const pathParameters = route.path.includes('{ref}') ? { ref: 'u' } : undefined;
    return (await handler({ ...event, body: '{"request":1}', pathParameters }, {})).statusCode;
  };
  for (const wanted of ['GET /users/{ref}/queue', 'GET /stuck', 'POST /users/{ref}/enqueue']) {
    expect([wanted, await statusOf(wanted, {})]).toEqual([wanted, 401]);
    expect([wanted, await statusOf(wanted, { authorization: `Bearer ${token}` })]).toEqual([wanted, 403]);
  }
});
