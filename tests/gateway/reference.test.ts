/** The description of the API, the page that shows it, and the console: the same from our gateway and from serverless-offline. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { buildConsole } from '../console/support/build.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { faultsOfAnswer } from '../http/description.ts';

jest.setTimeout(120_000);

const drivers = {
  'functions/api.ts': ['functions/api.ts'],
  'serverless-offline': ['node_modules/serverless/bin/serverless.js', 'offline', 'start'],
};

const origin = 'https://app.example.com';
const files = [
  ...['/openapi.json', '/docs', '/docs/reference.js'],
  ...['/console', '/console/console.js', '/console/console.css'],
];

describe.each(Object.entries(drivers))('with %s', (_name, args) => {
  let api: ApiProcess;
  beforeAll(async () => {
    buildConsole();
    api = await startApi(args, { CORS_ORIGINS: origin });
  });
  afterAll(() => api?.end());

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${api.port}${path}`, { headers });
    const read = (name: string) => response.headers.get(name) ?? undefined;
    const answer = { status: response.status, contentType: read('content-type'), text: await response.text() };
    expect(faultsOfAnswer('GET', path, answer)).toBeUndefined();
    return { ...answer, read };
  };

  test('GET /openapi.json answers what docs/openapi.json has', async () => {
    const { status, contentType, text } = await get('/openapi.json');
    expect(status).toBe(200);
    expect(contentType).toMatch(/^application\/json/);
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync('docs/openapi.json', 'utf8')));
  });

  test('GET /docs answers a page that may load nothing from other hosts', async () => {
    const { status, text, read } = await get('/docs');
    expect(status).toBe(200);
    const policy = read('content-security-policy')?.split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]));
    expect(text).not.toMatch(/https?:\/\//);
    const [, script = ''] = /<script src="([^"]+)">/.exec(text) ?? [];
    expect((await get(new URL(script, 'http://host/docs').pathname)).text).toContain('createApiReference');
  });

  test('GET /console answers a page without inline scripts and styles, which may load nothing from other hosts', async () => {
    const { text, read } = await get('/console');
    const policy = read('content-security-policy')?.split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'"]));
    expect(text).not.toMatch(/https?:\/\/|<style|style=|<script(?![^>]* src=)/);
    const addresses = [...text.matchAll(/(?:src|href)="(\.[^"]+)"/g)].map(([, found = '']) => found);
    expect(addresses.sort()).toEqual(['./console/console.css', './console/console.js']);
  });

  test.each(files)('%s is sent once to a caller that keeps it', async (path) => {
    const first = await get(path);
    expect(first.read('cache-control')).toBe('no-cache');
    expect(first.read('x-content-type-options')).toBe('nosniff');
    const etag = first.read('etag') ?? '';
    const again = await get(path, { 'if-none-match': `"other", ${etag}` });
    expect([again.status, again.text, again.read('etag')]).toEqual([304, '', etag]);
    expect(await get(path, { 'if-none-match': 'W/"other"' })).toMatchObject({ status: 200, text: first.text });
  });

  test.each(files)('%s is compressed where the caller accepts it', async (path) => {
    const compressed = await get(path, { 'accept-encoding': 'br, gzip;q=0.5' });
    expect(compressed.read('content-encoding')).toBe('gzip');
    for (const accepted of ['identity', 'gzip;q=0', 'gzip; q=0.00, br']) {
      const plain = await get(path, { 'accept-encoding': accepted });
      expect(plain).toMatchObject({ status: 200, text: compressed.text });
      expect(plain.read('content-encoding')).toBeUndefined();
    }
  });

  test('a cache keeps the answers for each origin and each encoding apart', async () => {
    const { read } = await get('/openapi.json', { origin });
    expect(read('access-control-allow-origin')).toBe(origin);
    expect(read('vary')?.toLowerCase().split(/, */)).toEqual(expect.arrayContaining(['accept-encoding', 'origin']));
  });
});
