/** What an API key may cost and reveal, with a process of its own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { createApiKey, type NewApiKey } from '../../lib/accounts/api-keys.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { openConnection } from './raw-connection.ts';

jest.setTimeout(120_000);

let api: ApiProcess;
let stores: Stores;

const start = async (environment: Record<string, string> = {}) => {
  const MONGODB_URL = mongodbUrl(uniqueName('keys'));
  api = await startApi(['functions/api.ts'], { MONGODB_URL, ...environment });
  stores = openStores({ mongodbUrl: MONGODB_URL, storeTimeoutMs: 10_000, autoMigrate: 1 });
};

afterEach(async () => {
  await stores?.drop();
  await stores?.close();
  await api?.end();
});

const newKey = async (more: Partial<NewApiKey> = {}): Promise<string> =>
  String((await createApiKey({ name: uniqueName('key'), scopes: ['enqueue', 'read'], ...more }, stores))?.secret);

test('the log has the id of the key of a call, and neither its secret nor the reference', async () => {
  await start();
  const key = await newKey();
  const wrong = `${key.slice(0, -8)}${key.endsWith('00000000') ? '11111111' : '00000000'}`;
  for (const token of [key, wrong]) {
    await api.call({ call: 'POST /users/ada%40example.com/enqueue', body: { request: 1 }, token });
    await api.call({ call: 'GET /users/ada%40example.com/requests/1', token });
    await api.call({ call: 'GET /queue', token });
  }
  const { output } = await api.end();
  expect(output).not.toContain(key.slice(16, 40));
  expect(output).not.toMatch(/ada(@|%40)example/);
  const lines = output
    .split('\n')
    .filter((line) => line.includes('"msg":"http"') && line.includes('users'))
    .map((line) => JSON.parse(line));
  const id = key.slice(3, 15);
  expect(lines).toMatchObject([
    { path: '/users/*/enqueue', status: 202, key: id, userId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    { path: '/users/*/requests/1', status: 200, key: id },
    { path: '/users/*/enqueue', status: 401, code: 'invalid-key', address: '127.0.0.1' },
    { path: '/users/*/requests/1', status: 401, code: 'invalid-key' },
  ]);
  for (const line of lines.slice(2)) expect(line).not.toHaveProperty('key');
});

test('a large body costs nothing before its key is verified and has the scope', async () => {
  await start();
  const reader = await newKey({ scopes: ['read'] });
  const text = `{"request":${'['.repeat(100_000)}`;
  const send = (token: string) => api.call({ call: 'POST /users/u/enqueue', text, token });
  expect(await send(`lk_${'0'.repeat(12)}_${'0'.repeat(64)}`)).toMatchObject({
    status: 401,
    body: { code: 'invalid-key' },
  });
  expect(await send(reader)).toMatchObject({ status: 403, body: { code: 'insufficient-scope' } });
  expect(await send(await newKey())).toMatchObject({ status: 400, body: { code: 'invalid-json' } });
});

test('the calls with one key that wait have one limit, for however many users, and leave places to others', async () => {
  const metricsPort = await getPort({ host: '127.0.0.1' });
  await start({ MAX_KEY_POLLS: '5', MAX_POLLS: '6', API_METRICS_PORT: String(metricsPort) });
  const [key, other] = [await newKey(), await newKey()];
  const users = Array.from({ length: 5 }, (_, index) => `user-${index}`);
  for (const user of [...users, 'late']) {
    await api.call({ call: `POST /users/${user}/enqueue`, body: { request: 1 }, token: key });
  }
  const waiting = await Promise.all(
    users.map(async (user) => {
      const connection = await openConnection(api.port);
      const head = `GET /users/${user}/requests/1?wait=20 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`;
      connection.send(head);
      return connection;
    }),
  );
  // Another call with the key, to find out, could take the place of one of them.
  await eventually('the key has all its places', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return metrics.includes('lanekeeper_api_long_polls_open 5');
  });
  const look = (token: string) => api.call({ call: 'GET /users/late/requests/1?wait=0.05', token });
  const refused = await look(key);
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-polls' } });
  expect(refused.body.detail).toContain('5 calls of this key wait already');
  expect(await look(other)).toMatchObject({ status: 200 });
  for (const connection of waiting) connection.end();
});

test('a revoked key ends at once in a process that has just used it', async () => {
  await start();
  const key = await newKey();
  const look = () => api.call({ call: 'GET /users/u/queue', token: key });
  const before = await Promise.all(Array.from({ length: 10 }, look));
  expect(before.map(({ status }) => status)).toEqual(Array(10).fill(200));
  await stores.apiKeys.revoke(key.slice(3, 15));
  const after = await Promise.all(Array.from({ length: 10 }, look));
  expect(after.map(({ status }) => status)).toEqual(Array(10).fill(401));
});
