/** A short check of what the design relies on, with the driver alone, against the configured server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { mongodbUrl, uniqueName } from '../support/servers.ts';

type Counter = { _id: string; value: number; mirror: number; owner?: number };

let client: mongoose.mongo.MongoClient;
const counters = () => client.db().collection<Counter>('counters');
const many = <T>(count: number, operate: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => operate(index)));

beforeAll(async () => {
  client = new mongoose.mongo.MongoClient(mongodbUrl(uniqueName('check')), { w: 'majority', journal: true });
  await client.connect();
});

afterAll(async () => {
  await client.db().dropDatabase();
  await client.close();
});

// Asks for the document after the update: not every server reads the one before it atomically.
test('a contended $inc gives every caller a different value', async () => {
  await counters().insertOne({ _id: 'inc', value: 0, mirror: 0 });
  const after = await many(200, () =>
    counters().findOneAndUpdate({ _id: 'inc' }, { $inc: { value: 1 } }, { returnDocument: 'after' }),
  );
  const values = after.map((document) => document?.value ?? -1).sort((a, b) => a - b);
  expect(values).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

test('a compare-and-set has one winner', async () => {
  for (let round = 0; round < 10; round += 1) {
    await counters().insertOne({ _id: `set-${round}`, value: 0, mirror: 0 });
    const update = (owner: number) =>
      counters().updateOne({ _id: `set-${round}`, value: 0 }, { $set: { value: 1, owner } });
    const results = await many(20, update);
    const winners = results.flatMap(({ matchedCount }, index) => (matchedCount === 1 ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(await counters().findOne({ _id: `set-${round}` })).toMatchObject({ owner: winners[0] });
  }
});

test('concurrent inserts of one _id, or of one value under a partial unique index, have one winner', async () => {
  const requests = client.db().collection<{ _id: string; user: string; key?: string }>('requests');
  await requests.createIndex(
    { user: 1, key: 1 },
    { unique: true, partialFilterExpression: { key: { $exists: true } } },
  );
  const insert = (document: { _id: string; user: string; key?: string }) =>
    requests.insertOne(document).then(
      () => 'inserted',
      (error) => (error.code === 11000 ? 'duplicate' : error),
    );
  const sameId = await many(20, () => insert({ _id: 'one', user: 'u' }));
  const sameKey = await many(20, (index) => insert({ _id: `key-${index}`, user: 'u', key: 'k' }));
  const noKey = await many(20, (index) => insert({ _id: `none-${index}`, user: 'u' }));
  expect(sameId.sort()).toEqual([...Array(19).fill('duplicate'), 'inserted']);
  expect(sameKey.sort()).toEqual([...Array(19).fill('duplicate'), 'inserted']);
  expect(noKey).toEqual(Array(20).fill('inserted'));
});

test('a read never sees half an update, and never an older state than before', async () => {
  await counters().insertOne({ _id: 'torn', value: 0, mirror: 0 });
  let writing = true;
  const read = async () => {
    const seen: Counter[] = [];
    while (writing) seen.push((await counters().findOne({ _id: 'torn' })) as Counter);
    return seen;
  };
  const readers = many(4, read);
  await many(200, () => counters().updateOne({ _id: 'torn' }, { $inc: { value: 1, mirror: 1 } }));
  writing = false;
  for (const seen of await readers) {
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter(({ value, mirror }) => value !== mirror)).toEqual([]);
    expect(seen.map(({ value }) => value)).toEqual(seen.map(({ value }) => value).sort((a, b) => a - b));
  }
});

test('an unordered bulk reports how many of its updates matched', async () => {
  await counters().insertMany([1, 2, 3].map((value) => ({ _id: `bulk-${value}`, value, mirror: 0 })));
  const update = (value: number, expected: number) => ({
    updateOne: { filter: { _id: `bulk-${value}`, value: expected }, update: { $set: { mirror: 1 } } },
  });
  const updates = [update(1, 1), update(2, 0), update(3, 3), update(4, 4)];
  expect((await counters().bulkWrite(updates, { ordered: false })).matchedCount).toBe(2);
});
