/** Which web pages may call the API: the same rule in our gateway, in serverless-offline, and in the functions themselves. */
import { describe, expect, jest, test } from '@jest/globals';
import { loadConfig } from '../../lib/config.ts';
import { corsHeaders, corsPreflightHeaders } from '../../lib/http/cors.ts';
import { startApi } from '../http/api-process.ts';

jest.setTimeout(120_000);

const ours = 'https://app.example.com';
const other = 'http://evil.example';

const drivers = {
  'functions/api.ts': ['functions/api.ts'],
  'serverless-offline': ['node_modules/serverless/bin/serverless.js', 'offline', 'start'],
};

/** The headers that a browser reads, of an answer and of a preflight. */
const ask = async (port: number, method: string, path: string, origin: string) => {
  const headers = { origin, 'access-control-request-method': 'POST' };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
  const read = (name: string) => response.headers.get(`access-control-${name}`);
  return {
    status: response.status,
    origin: read('allow-origin'),
    credentials: read('allow-credentials'),
    allowed: read('allow-headers'),
    exposed: read('expose-headers'),
    vary: response.headers.get('vary')?.toLowerCase() ?? '',
  };
};

describe.each(Object.entries(drivers))('with %s', (_name, args) => {
  test('a page of a listed origin may call and read errors, and another one may not', async () => {
    const api = await startApi(args, { CORS_ORIGINS: `https://www.example.com, ${ours}` });
    const exposed = expect.stringContaining('Retry-After');
    expect(await ask(api.port, 'OPTIONS', '/enqueue', ours)).toMatchObject({
      status: 204,
      origin: ours,
      credentials: null,
      allowed: expect.stringContaining('Idempotency-Key'),
    });
    for (const [method, path] of [
      ['GET', '/livez'],
      ['GET', '/queue'],
    ] as const) {
      const answer = await ask(api.port, method, path, ours);
      expect(answer).toMatchObject({
        origin: ours,
        credentials: null,
        exposed,
        vary: expect.stringContaining('origin'),
      });
    }
    // What no function answers: on AWS API Gateway does, and here serverless-offline.
    if (args[0] === 'functions/api.ts') {
      expect(await ask(api.port, 'GET', '/nowhere', ours)).toMatchObject({ status: 404, origin: ours });
      expect(await ask(api.port, 'PUT', '/queue', ours)).toMatchObject({ status: 405, origin: ours });
    }
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await ask(api.port, method, '/queue', other);
      expect(answer).toMatchObject({ origin: null, credentials: null, allowed: null });
    }
    await api.end();
  });

  test('no page may call unless CORS_ORIGINS names it', async () => {
    const api = await startApi(args);
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      expect(await ask(api.port, method, '/login', ours)).toMatchObject({
        origin: null,
        credentials: null,
        allowed: null,
      });
    }
    await api.end();
  });
});

test('* allows every page, and the answer is the same for all of them', () => {
  const config = { corsOrigins: ['*'] };
  expect(corsHeaders(config, other)).toMatchObject({ 'access-control-allow-origin': '*' });
  expect(corsHeaders(config, other)).not.toHaveProperty('vary');
  expect(corsPreflightHeaders(config, other)).toMatchObject({ 'access-control-allow-methods': 'GET, POST, DELETE' });
});

test.each([
  'example.com',
  'https://a.example/',
  'https://a.example/path',
  '*,https://a.example',
  'https://*.example',
  'null',
])('CORS_ORIGINS=%s is refused at start', (value) => {
  expect(() => loadConfig({ CORS_ORIGINS: value }, 'consumer')).toThrow('CORS_ORIGINS must be');
});
