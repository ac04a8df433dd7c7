import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readRoutes, routesOf } from '../../lib/gateway/routes.ts';
import { describeApi } from '../../tools/openapi/text.ts';

describe('routes', () => {
  test('infra/functions.yml has a route for every call of the API', async () => {
    const calls = (await readRoutes()).map(({ method, path }) => `${method} ${path}`);
    expect(calls).toEqual([
      'POST /register',
      'POST /login',
      'DELETE /sessions',
      'POST /enqueue',
      'POST /users/{ref}/enqueue',
      'GET /requests/{seq}',
      'GET /users/{ref}/requests/{seq}',
      'GET /requests',
      'GET /users/{ref}/requests',
      'DELETE /requests/{seq}',
      'DELETE /users/{ref}/requests/{seq}',
      'POST /requests/cancel',
      'POST /users/{ref}/requests/cancel',
      'POST /requests/{seq}/retry',
      'POST /users/{ref}/requests/{seq}/retry',
      'POST /requests/{seq}/skip',
      'POST /users/{ref}/requests/{seq}/skip',
      'GET /queue',
      'GET /users/{ref}/queue',
      'GET /events',
      'GET /users/{ref}/events',
      'POST /stream-token',
      'POST /users/{ref}/stream-token',
      'GET /lanes',
      'GET /overview',
      'GET /users',
      'GET /users/{ref}',
      'POST /disconnect',
      'POST /users/{ref}/disconnect',
      'GET /dead-letters',
      'POST /dead-letters/retry',
      'POST /dead-letters/drop',
      'POST /users/{ref}/requests/{seq}/end',
      'GET /stuck',
      'GET /health',
      'GET /livez',
      'GET /openapi.json',
      'GET /docs',
      'GET /docs/reference.js',
      'GET /console',
      'GET /console/console.js',
      'GET /console/console.css',
      'OPTIONS /{proxy+}',
    ]);
  });

  test('every route has a file in functions/, and every such file has a route', async () => {
    const others = ['api', 'consumer', 'event-streams', 'kill-worker', 'rotate-token-secret', 'websocket'];
    const entryPoints = others.map((name) => `functions/${name}`);
    const files = (await readdir(new URL('../../functions/', import.meta.url))).map(
      (name) => `functions/${name.replace(/\.ts$/, '')}`,
    );
    const routed = (await readRoutes()).map(({ file }) => file);
    expect([...new Set(routed)].sort()).toEqual(files.filter((file) => !entryPoints.includes(file)).sort());
  });

  test('the function of a call that may wait for 20 s is not cut before', async () => {
    type Operations = Record<string, { parameters?: { name: string }[] }>;
    const described = Object.entries(describeApi(true).paths as Record<string, Operations>);
    const waiting = described.flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, { parameters = [] }]) => parameters.some(({ name }) => name === 'wait'))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    expect(waiting).toContain('GET /events');
    type Functions = Record<string, { timeout?: number; events: { httpApi?: string }[] }>;
    const { functions }: { functions: Functions } = parse(
      await readFile(new URL('../../infra/functions.yml', import.meta.url), 'utf8'),
    );
    const cut = Object.values(functions)
      .filter(({ timeout = 0 }) => timeout < 25)
      .flatMap(({ events }) => events.map(({ httpApi }) => httpApi));
    expect(waiting.filter((call) => cut.includes(call))).toEqual([]);
  });

  test('a route that is not METHOD /path is refused', () => {
    expect(() => routesOf('functions: {a: {handler: functions/a.handler, events: [{httpApi: "*"}]}}')).toThrow(
      'METHOD /path',
    );
  });
});
