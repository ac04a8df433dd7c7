/** The server gives every operation up when its caller has. */
import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { openStores } from '../../lib/store/stores.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { everyOperation } from './every-operation.ts';

/** Commands that the driver sends by itself, that continue a cursor, or that build indexes. */
const others = ['getMore', 'killCursors', 'createIndexes', 'create', 'endSessions', 'dropDatabase'];

test('every operation of every store has a time limit on the server', async () => {
  const url = new URL(mongodbUrl(uniqueName('max-time')));
  url.searchParams.set('monitorCommands', 'true');
  const before = mongoose.connections.length;
  await using stack = new AsyncDisposableStack();
  const stores = openStores({ mongodbUrl: url.href, storeTimeoutMs: 7_000, autoMigrate: 1 });
  stack.defer(() => stores.close());
  stack.defer(() => stores.drop());
  const limits = new Map<string, Set<unknown>>();
  // From the start: what a process does once comes before its first operation.
  const connection = mongoose.connections[before];
  connection?.once('connected', () =>
    connection.getClient().on('commandStarted', ({ commandName, command }) => {
      limits.set(commandName, (limits.get(commandName) ?? new Set()).add(command.maxTimeMS));
    }),
  );
  await stores.ping();
  for (const operate of Object.values(everyOperation)) await operate(stores);
  for (const name of others) limits.delete(name);
  expect([...limits.keys()]).toEqual(
    expect.arrayContaining(['hello', 'listIndexes', 'find', 'findAndModify', 'insert', 'update', 'aggregate']),
  );
  for (const [name, found] of limits) expect([name, ...found]).toEqual([name, 7_000]);
});
