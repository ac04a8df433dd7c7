/** The API as a process of its own: what it logs, and how it stops. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { uniqueName } from '../support/servers.ts';
import { startApi } from './api-process.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(120_000);

const secrets = {
  password: 'correct horse battery staple',
  wrongPassword: 'hunter2hunter2',
  operator: 'operator-payload',
  forged: jwt.sign({ sub: 'forged-user', sid: 's', exp: 4_000_000_000 }, 'another-secret-another-secret-another'),
  request: 'what the user asked for',
  key: 'the-idempotency-key',
  basic: 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
};

const taken = { port: 0 };
const server = createServer();
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  taken.port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

describe('the API as a process', () => {
  test('logs each call in one line, and never a body, a token or a password, whatever is sent', async () => {
    const api = await startApi(['functions/api.ts']);
    const username = uniqueName('user');
    const good = { username, password: secrets.password };
    const answers = [
      await api.call({ call: 'POST /register', body: good }),
      await api.call({ call: 'POST /login', text: `{"username":"${username}","password":"${secrets.password}` }),
      await api.call({ call: 'POST /login', text: `${secrets.password}` }),
      await api.call({ call: 'POST /login', body: { username, password: secrets.wrongPassword } }),
      await api.call({
        call: 'POST /login',
        body: { username: { $ne: secrets.operator }, password: secrets.password },
      }),
      await api.call({ call: 'POST /register', body: { username, password: secrets.password.repeat(1_000) } }),
      await api.call({ call: 'POST /register', body: { username, password: secrets.password.repeat(100_000) } }),
      await api.call({ call: 'POST /enqueue', body: { request: secrets.request }, token: secrets.forged }),
      await api.call({ call: 'POST /enqueue', body: { request: secrets.request, token: secrets.forged } }),
      await api.call({ call: 'GET /queue', headers: { authorization: `Basic ${secrets.basic}` } }),
      await api.call({ call: `GET /queue?token=${secrets.forged}` }),
      await api.call({ call: `GET /${secrets.operator}` }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 400, 400, 401, 400, 413, 413, 401, 401, 401, 401, 404]);
    const login = await api.call({ call: 'POST /login', body: good });
    const token = String(login.body.token);
    const enqueued = {
      call: 'POST /enqueue',
      body: { request: secrets.request },
      token,
      headers: { 'idempotency-key': secrets.key },
    };
    expect(await api.call(enqueued)).toMatchObject({ status: 202 });

    const { output, status } = await api.end();
    expect(status).toBe(0);
    // API_METRICS_PORT is not set.
    expect(output).not.toContain('serving /metrics');
    for (const secret of [...Object.values(secrets), token]) expect(output).not.toContain(secret);
    const lines = output.split('\n').filter((line) => line.includes('"msg":"http"'));
    const logged = lines.map((line) => JSON.parse(line)).filter(({ route }) => route !== 'GET /health');
    expect(logged.map(({ status }) => status)).toEqual(
      [...answers, login, { status: 202 }].map(({ status }) => status),
    );
    for (const line of logged) expect(line).toMatchObject({ path: expect.any(String), ms: expect.any(Number) });
    expect(logged.at(-1)).toMatchObject({
      method: 'POST',
      path: '/enqueue',
      route: 'POST /enqueue',
      ms: expect.any(Number),
      userId: expect.any(String),
    });
    expect(logged[3]).toMatchObject({ route: 'POST /login', status: 401, code: 'invalid-credentials' });
    expect(logged[9]).toMatchObject({ method: 'GET', path: '/queue', status: 401 });
    expect(logged[11]).toMatchObject({ method: 'GET', path: '*', status: 404, code: 'not-found' });
  });

  test('lets a waiting call end on SIGTERM, and then exits', async () => {
    const api = await startApi(['functions/api.ts']);
    const who = { username: uniqueName('user'), password: 'correct horse' };
    await api.call({ call: 'POST /register', body: who });
    const token = String((await api.call({ call: 'POST /login', body: who })).body.token);
    await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
    const waiting = api.call({ call: 'GET /requests/1?wait=2', token });
    await api.call({ call: 'GET /queue', token });
    const ended = api.end();
    expect(await waiting).toMatchObject({ status: 200, body: { status: 'queued' } });
    expect(await ended).toMatchObject({ status: 0 });
  });

  test.each([
    [
      'its port is taken',
      () => ({ PORT: String(taken.port) }),
      /^Cannot serve the API on 127\.0\.0\.1:\d+ \(.*EADDRINUSE.*\)\. Set HOST/m,
    ],
    [
      'the port of its metrics is taken',
      () => ({ API_METRICS_PORT: String(taken.port) }),
      /^Cannot serve \/metrics on 127\.0\.0\.1:\d+ \(.*EADDRINUSE.*\)\. Set METRICS_HOST and API_METRICS_PORT/m,
    ],
    [
      'MONGODB_URL has an unknown option',
      () => ({ MONGODB_URL: 'mongodb://host/?foo=1' }),
      /^ {2}- MONGODB_URL: foo: no such/m,
    ],
    [
      'a file does not exist',
      () => ({ MONGODB_URL: 'mongodb://h/?tls=true&tlsCAFile=/no.pem' }),
      /^ {2}- MONGODB_URL: the file of/m,
    ],
    ['a variable is wrong', () => ({ MAX_PENDING: '0' }), /^ {2}- MAX_PENDING must be a whole number/m],
  ])('says in words, without a stack, that it cannot start because %s', async (_why, environment, words) => {
    const failure = await startApi(['functions/api.ts'], environment()).catch((error: Error) => error.message);
    expect(failure).toMatch(words);
    expect(failure).not.toMatch(/^\s+at |Node\.js v/m);
  });

  test('reports every validation error of the environment at start', async () => {
    const starting = startApi(['functions/api.ts'], { JWT_SECRET: 'short', LANES: 'many' });
    await expect(starting).rejects.toThrow(
      /LANES must be a whole number[\s\S]*JWT_SECRET must have at least 32 characters/,
    );
  });
});
