/** Indexes are built by `npm run migrate`, and never by the calls of users [M15]. Real processes. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import mongoose from 'mongoose';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(120_000);

let url: string;
let client: mongoose.mongo.MongoClient;
let api: ApiProcess | undefined;

beforeEach(async () => {
  url = mongodbUrl(uniqueName('indexes'));
  client = await new mongoose.mongo.MongoClient(url).connect();
});
afterEach(async () => {
  await api?.end();
  api = undefined;
  await client.db().dropDatabase();
  await client.close();
});

const indexesOf = async (collection: string): Promise<string[]> => {
  const found = await client
    .db()
    .collection(collection)
    .listIndexes()
    .toArray()
    .catch(() => []);
  return found
    .map(({ name }) => name as string)
    .filter((name) => name !== '_id_')
    .sort();
};

const migrate = () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/lanekeeper.ts', 'migrate'], {
    env: { ...process.env, MONGODB_URL: url },
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}`.trim() };
};

const start = async (): Promise<ApiProcess> => {
  api = await startApi(['functions/api.ts'], { MONGODB_URL: url, AUTO_MIGRATE: '0' });
  return api;
};

const who = () => ({ username: uniqueName('user'), password: 'correct horse' });
const loggedIn = async ({ call }: ApiProcess): Promise<string> => {
  const body = who();
  expect(await call({ call: 'POST /register', body })).toMatchObject({ status: 201 });
  return String((await call({ call: 'POST /login', body })).body.token);
};

test('without a unique index nothing is written that depends on it, and after npm run migrate the same process serves', async () => {
  const { call, end } = await start();
  const body = who();
  expect(await call({ call: 'POST /register', body })).toMatchObject({ status: 503, body: { code: 'not-migrated' } });
  expect(await call({ call: 'GET /health' })).toMatchObject({ status: 503, body: { status: 'degraded' } });
  expect(await indexesOf('accounts')).toEqual([]);

  expect(migrate()).toMatchObject({ status: 0, said: expect.stringContaining('created the index accounts.name_1') });
  expect(await indexesOf('accounts')).toEqual(['name_1']);
  expect(migrate()).toEqual({ status: 0, said: 'nothing to do: all indexes are there' });
  await eventually(
    'the process has noticed',
    async () => (await call({ call: 'POST /register', body })).status === 201,
  );
  api = undefined;
  const { output } = await end();
  const lines = output.split('\n').filter((line) => line.includes('run lanekeeper migrate'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('requests.userId_1_key_1');
});

test('without the unique index of the counters nobody logs in, because a burst of guesses would not be counted', async () => {
  expect(migrate()).toMatchObject({ status: 0 });
  await client.db().collection('counters').dropIndex('key_1');
  const { call } = await start();
  const guesses = Array.from({ length: 10 }, () => call({ call: 'POST /login', body: who() }));
  for (const answer of await Promise.all(guesses))
    expect(answer).toMatchObject({ status: 503, body: { code: 'not-migrated' } });
  expect(await client.db().collection('counters').countDocuments()).toBe(0);
});

test('an index that is missing otherwise fails no call, and the API does not build it', async () => {
  expect(migrate()).toMatchObject({ status: 0 });
  await client.db().collection('requests').dropIndex('userId_1_seq_1');
  await client.db().collection('userQueues').dropIndexes();
  const running = await start();
  const token = await loggedIn(running);
  const { call } = running;
  const headers = { 'idempotency-key': 'k' };
  expect(await call({ call: 'POST /enqueue', body: { request: 1 }, token, headers })).toMatchObject({ status: 202 });
  expect(await call({ call: 'GET /requests', token })).toMatchObject({ status: 200, body: { requests: [{ seq: 1 }] } });
  expect(await call({ call: 'GET /health' })).toMatchObject({ status: 200 });
  expect(await indexesOf('userQueues')).toEqual([]);
  expect(await indexesOf('requests')).not.toContain('userId_1_seq_1');
});

test('without the unique index of the counters, users who are logged in enqueue, and nobody can log in', async () => {
  expect(migrate()).toMatchObject({ status: 0 });
  const before = await start();
  const token = await loggedIn(before);
  await before.end();
  await client.db().collection('counters').dropIndex('key_1');
  const { call } = await start();
  expect(await call({ call: 'POST /enqueue', body: { request: 1 }, token })).toMatchObject({ status: 202 });
  expect(await call({ call: 'POST /login', body: who() })).toMatchObject({
    status: 503,
    body: { code: 'not-migrated' },
  });
  expect(await call({ call: 'GET /health' })).toMatchObject({ status: 503 });
});

test('npm run migrate names an index that is in the way and what to do, and creates the others', async () => {
  await client.db().collection('accounts').createIndex({ name: 1 });
  await client
    .db()
    .collection<{ _id: number; userId: string; seq: number }>('requests')
    .insertOne({ _id: 1, userId: 'u', seq: 1 });
  const { status, said } = migrate();
  expect(status).toBe(1);
  expect(said).toContain('The index name_1 of the collection accounts is not the one that this version needs.');
  expect(said).toContain("db.accounts.dropIndex('name_1')");
  expect(said).not.toMatch(/^ +at /m);
  expect(await indexesOf('requests')).toContain('userId_1_seq_1');

  const { call } = await start();
  expect(await call({ call: 'POST /register', body: who() })).toMatchObject({
    status: 503,
    body: { code: 'not-migrated' },
  });
  await client.db().collection('accounts').dropIndex('name_1');
  expect(migrate()).toMatchObject({ status: 0 });
});

test('npm run migrate names an index that only earlier versions needed, keeps it, and says how to drop it', async () => {
  const userQueues = client.db().collection('userQueues');
  await userQueues.createIndex({ state: 1, updatedAt: 1, _id: 1 });
  await userQueues.createIndex({ user: 1 });
  const { status, said } = migrate();
  expect(status).toBe(0);
  const name = 'state_1_updatedAt_1__id_1';
  expect(said).toContain(`the index userQueues.${name} is obsolete`);
  expect(said).toContain(`db.userQueues.dropIndex('${name}')`);
  expect(said.match(/obsolete/g)).toHaveLength(1);
  expect(await indexesOf('userQueues')).toContain(name);

  await userQueues.dropIndex(name);
  expect(migrate()).toEqual({ status: 0, said: 'nothing to do: all indexes are there' });
});

test('values that a unique index does not allow are named by npm run migrate', async () => {
  const accounts = client.db().collection<{ name: string }>('accounts');
  await accounts.insertMany([{ name: 'ada' }, { name: 'ada' }]);
  const { status, said } = migrate();
  expect(status).toBe(1);
  expect(said).toContain('The index accounts.name_1 could not be created');
  expect(said).toContain('Two documents have the same values.');
});
