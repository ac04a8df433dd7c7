import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { createGateway, type EventHandler } from '../../lib/gateway/gateway.ts';
import { info, type LogLine, readableLog } from '../support/log-lines.ts';
import { testConfig } from '../support/servers.ts';

const reply: EventHandler = async (event) => ({
  statusCode: 207,
  headers: { 'content-type': 'application/json', 'x-own': 'yes' },
  body: JSON.stringify(event),
});
const maxBodyBytes = 1_000;
const echo = Object.assign(reply, { maxBodyBytes });
const fails: EventHandler = async () => {
  throw new Error('secret');
};
const binary: EventHandler = async () => ({
  statusCode: 200,
  body: Buffer.from([0, 255]).toString('base64'),
  isBase64Encoded: true,
});
const route = (method: string, path: string, handler: EventHandler) => ({ method, path, file: '', name: '', handler });
const routes = [
  route('POST', '/things', echo),
  route('GET', '/things/{seq}', echo),
  route('DELETE', '/things/{seq}', echo),
  route('GET', '/fails', fails),
  route('GET', '/binary', binary),
  route('POST', '/no-body', async (given) => reply(given, {} as never)),
];

let server: Server;
let base: string;
let logged: LogLine[];

beforeEach(async () => {
  const { log, lines } = readableLog();
  logged = lines;
  server = createServer(createGateway(routes, log, testConfig()));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const event = async (path: string, init?: RequestInit): Promise<APIGatewayProxyEventV2> => {
  const response = await fetch(base + path, init);
  expect(response.status).toBe(207);
  return (await response.json()) as APIGatewayProxyEventV2;
};

const problem = async (path: string, init?: RequestInit) => {
  const response = await fetch(base + path, init);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { allow: response.headers.get('allow'), ...((await response.json()) as { status: number; code: string }) };
};

describe('the gateway makes the event that API Gateway makes', () => {
  test('with the route, the decoded path parameters and the query, with repeated values joined', async () => {
    expect(await event('/things/a%20b?x=1&y=%26&x=2')).toMatchObject({
      version: '2.0',
      routeKey: 'GET /things/{seq}',
      rawPath: '/things/a%20b',
      rawQueryString: 'x=1&y=%26&x=2',
      pathParameters: { seq: 'a b' },
      queryStringParameters: { x: '1,2', y: '&' },
      isBase64Encoded: false,
      requestContext: { http: { method: 'GET', path: '/things/a%20b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' } },
    });
  });

  test('without a query, path parameters or a body if there are none', async () => {
    const plain = await event('/things', { method: 'POST' });
    for (const name of ['queryStringParameters', 'pathParameters', 'body', 'cookies'])
      expect(plain).not.toHaveProperty(name);
  });

  test('with headers in lower case, repeated headers joined, and cookies in a field of their own', async () => {
    const received = new Promise<string>((resolve, reject) => {
      const headers = [
        'X-Many',
        'a',
        'x-many',
        'b',
        'Authorization',
        'Bearer t',
        'Cookie',
        'c=1; d=2',
        'Host',
        'localhost',
      ];
      httpRequest(`${base}/things/1`, { headers }, async (response) => {
        resolve(await text(response));
      })
        .once('error', reject)
        .end();
    });
    const { headers, cookies } = JSON.parse(await received);
    expect(headers).toMatchObject({ 'x-many': 'a,b', authorization: 'Bearer t' });
    expect(headers).not.toHaveProperty('cookie');
    expect(cookies).toEqual(['c=1', 'd=2']);
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'text/plain', 'application/problem+json'])(
    'with a body of type %s as text',
    async (type) => {
      const sent = await event('/things', { method: 'POST', body: '{"ä": 1}', headers: { 'content-type': type } });
      expect(sent).toMatchObject({ body: '{"ä": 1}', isBase64Encoded: false });
    },
  );

  test.each(['application/x-www-form-urlencoded', 'application/octet-stream'])(
    'with a body of type %s in base64',
    async (type) => {
      const sent = await event('/things', {
        method: 'POST',
        body: new Uint8Array([0, 255]),
        headers: { 'content-type': type },
      });
      expect(sent).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
    },
  );
});

describe('the gateway answers', () => {
  test('with the reply of the function: status, headers and body, also a binary body', async () => {
    const response = await fetch(`${base}/things`, { method: 'POST' });
    expect(response.headers.get('x-own')).toBe('yes');
    expect(response.headers.has('x-powered-by')).toBe(false);
    const bytes = await (await fetch(`${base}/binary`)).arrayBuffer();
    expect([...new Uint8Array(bytes)]).toEqual([0, 255]);
  });

  test.each(['/', '/thing', '/things/', '/Things', '/things/1/2'])('404 for %s', async (path) => {
    expect(await problem(path)).toMatchObject({ status: 404, code: 'not-found', detail: 'No such route.' });
  });

  test('405 for a method that a path does not have, with the allowed methods', async () => {
    expect(await problem('/things/1', { method: 'PUT' })).toMatchObject({
      status: 405,
      code: 'method-not-allowed',
      allow: 'GET, DELETE',
      detail: 'Only GET and DELETE are allowed.',
    });
    expect(await problem('/binary', { method: 'PUT' })).toMatchObject({ detail: 'Only GET is allowed.' });
  });

  test('400 for a path that cannot be decoded', async () => {
    expect(await problem('/things/%E0%A4')).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  test.each(['with its length', 'in chunks'])(
    '413 for a body larger than the function accepts, sent %s',
    async (how) => {
      const send = (bytes: number): RequestInit => {
        const body = 'x'.repeat(bytes);
        if (how === 'with its length') return { method: 'POST', body };
        return { method: 'POST', body: new Blob([body]).stream(), duplex: 'half' } as RequestInit;
      };
      expect(await event('/things', send(maxBodyBytes))).toMatchObject({ body: 'x'.repeat(maxBodyBytes) });
      for (const bytes of [maxBodyBytes + 1, 1_048_577]) {
        expect(await problem('/things', send(bytes))).toMatchObject({
          status: 413,
          code: 'request-too-large',
          detail: 'The body may have at most 1000 bytes.',
        });
      }
    },
  );

  test('as if there were no body for a function that takes none', async () => {
    const response = await fetch(`${base}/no-body`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect(response.status).toBe(207);
    expect(await response.json()).not.toHaveProperty('body');
  });

  test('415 for an encoded body', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect(await problem('/things', { method: 'POST', body: 'x', headers })).toMatchObject({
      status: 415,
      code: 'unsupported-encoding',
    });
  });

  test('500 for a function that fails, without the reason', async () => {
    const failed = await problem('/fails');
    expect(failed).toMatchObject({ status: 500, code: 'internal-error' });
    expect(JSON.stringify(failed)).not.toContain('secret');
  });
});

describe('the gateway logs', () => {
  test.each([
    ['405', 'PUT', '/things/12', '', { path: '/things/12', status: 405, code: 'method-not-allowed' }],
    ['405', 'PUT', '/things/secret', '', { path: '/things/*', status: 405, code: 'method-not-allowed' }],
    ['404', 'GET', '/secret', '', { path: '*', status: 404, code: 'not-found' }],
    ['413', 'POST', '/things', 'secret'.repeat(200_000), { path: '/things', status: 413, code: 'request-too-large' }],
    ['400', 'DELETE', '/things/%E0%A4', '', { path: '/things/*', status: 400, code: 'invalid-request' }],
    ['500', 'GET', '/fails', '', { path: '/fails', status: 500, code: 'internal-error' }],
  ])(
    'one line without a secret for a call that it answers itself, with %s: %s %s',
    async (_status, method, path, body, line) => {
      await problem(`${path}?token=secret`, { method, body: body || undefined, headers: { 'x-token': 'secret' } });
      const lines = logged.filter(({ msg }) => msg === 'http');
      expect(lines).toEqual([
        { level: info, time: expect.any(String), msg: 'http', method, ...line, ms: expect.any(Number) },
      ]);
      expect(JSON.stringify(lines)).not.toContain('secret');
    },
  );

  test('nothing about a call that a function answers: the function logs it', async () => {
    await event('/things', { method: 'POST' });
    expect(logged).toEqual([]);
  });
});
