/** What a list of requests may cost [L13], with a process of its own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import mongoose from 'mongoose';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';

jest.setTimeout(120_000);

let api: ApiProcess | undefined;
let client: mongoose.mongo.MongoClient | undefined;
afterEach(async () => {
  await api?.end();
  await client?.db().dropDatabase();
  await client?.close();
});

test('a search by status looks at 10,000 requests at most, and its cursor goes on to the end', async () => {
  const url = mongodbUrl(uniqueName('lists'));
  client = await new mongoose.mongo.MongoClient(url).connect();
  api = await startApi(['functions/api.ts'], { MONGODB_URL: url });
  const { call } = api;
  const who = { username: uniqueName('user'), password: 'correct horse' };
  const userId = String((await call({ call: 'POST /register', body: who })).body.userId);
  const token = String((await call({ call: 'POST /login', body: who })).body.token);
  await client
    .db()
    .collection<{ _id: string }>('userQueues')
    .updateOne({ _id: userId }, { $set: { accepted: 25_003 } });
  const entry = (seq: number) => ({
    _id: `${userId}:${seq}`,
    userId,
    seq,
    status: 'failed',
    attempts: 1,
    acceptedAt: new Date(),
  });
  await client.db().collection<{ _id: string }>('requests').insertMany([3, 20_001, 25_003].map(entry));

  const found: unknown[] = [];
  const cursors: unknown[] = [];
  for (let after: unknown = 0; after !== undefined; ) {
    const { status, body } = await call({ call: `GET /requests?status=failed&after=${after}`, token });
    expect(status).toBe(200);
    found.push(...(body.requests as { seq: number }[]).map(({ seq }) => seq));
    after = body.next;
    cursors.push(after);
  }
  expect(found).toEqual([3, 20_001, 25_003]);
  expect(cursors).toEqual([10_000, 20_000, undefined]);
  const all = await call({ call: 'GET /requests', token });
  expect(all.body.requests).toHaveLength(3);
  expect(all.body.next).toBeUndefined();
});
