import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import type { Execute } from '../../lib/store/connection.ts';
import type { Models } from '../../lib/store/models.ts';
import { stalledStore } from '../../lib/store/stalled.ts';
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

test('a search that cannot note the idle users still finds those that are stuck', async () => {
  const document = (_id: string, settled: number) => ({
    _id,
    lane: 1,
    sessions: [session('s')],
    accepted: 3,
    settled,
    updatedAt: at(0),
  });
  const open = [document('idle', 3), document('stuck', 2)];
  let notes = 0;
  const collection = {
    find: ({ state }: { state: string }) => ({ toArray: async () => (state === 'open' ? open : []) }),
    bulkWrite: async () => {
      notes += 1;
      throw new Error('no writes now');
    },
  };
  const userQueues = { collection, db: { get: () => 1_000 } };
  const execute: Execute = (operate) => operate({ userQueues } as unknown as Models);
  const found = await stalledStore(execute).stuck({ from: at(1), to: at(2) }, 10, 'all');
  expect(new Set(found.map(({ userId }) => userId))).toEqual(new Set(['stuck']));
  expect(notes).toBeGreaterThan(0);
});
