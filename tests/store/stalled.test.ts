import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { openStores } from '../../lib/store/stores.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { at, session } from './store-contract.ts';

const users = 600;

test('of many idle users a second search reads none, and it still finds the one that is stuck', async () => {
  const url = new URL(mongodbUrl(uniqueName('stalled')));
  url.searchParams.set('monitorCommands', 'true');
  const before = mongoose.connections.length;
  await using stack = new AsyncDisposableStack();
  const stores = openStores({ mongodbUrl: url.href, storeTimeoutMs: 30_000, autoMigrate: 1 });
  stack.defer(() => stores.close());
  stack.defer(() => stores.drop());
  await stores.ping();
  const connection = mongoose.connections[before] as mongoose.Connection;
  const document = (index: number) => ({
    _id: `u${String(index).padStart(5, '0')}`,
    lane: 1,
    sessions: [session('s')],
    state: 'open',
    accepted: 3,
    settled: index === users - 1 ? 2 : 3,
    closedThrough: 0,
    updatedAt: at(index),
  });
  const documents = Array.from({ length: users }, (_, index) => document(index));
  await connection.collection<{ _id: string }>('userQueues').insertMany(documents);
  let read = 0;
  connection.getClient().on('commandSucceeded', (event) => {
    const { cursor } = event.reply as { cursor?: { firstBatch?: unknown[]; nextBatch?: unknown[] } };
    read += (cursor?.firstBatch ?? cursor?.nextBatch ?? []).length;
  });
  const search = async () => {
    read = 0;
    const found = await stores.userQueues.stuck({ from: at(users), to: at(users + 1) }, 1, 'all');
    expect(found.map(({ userId }) => userId)).toEqual([`u00${users - 1}`]);
    return read;
  };
  expect(await search()).toBe(users);
  expect(await search()).toBe(1);
});
