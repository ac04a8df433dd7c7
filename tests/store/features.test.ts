/** `lanekeeper migrate` on servers that lack what Lanekeeper needs, and on one that does not. */
import { expect, test } from '@jest/globals';
import { migrateDatabase, openStores } from '../../lib/store/stores.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startFakeMongodb } from './fake-mongodb.ts';

type Command = Record<string, unknown> & { updates?: { u: unknown }[]; update?: unknown };

const migrate = (url: string) => migrateDatabase({ mongodbUrl: url, storeTimeoutMs: 5_000, autoMigrate: 0 });

const isPipelineUpdate = ({ updates }: Command) => updates !== undefined && Array.isArray(updates[0]?.u);
const isWrite = (command: Command) => 'update' in command || 'findAndModify' in command;

test('a database without retryable writes, such as Amazon DocumentDB, is refused before anything is created', async () => {
  const asked: string[] = [];
  await using server = await startFakeMongodb((command) => {
    asked.push(Object.keys(command)[0] ?? '');
    return isWrite(command) ? { code: 301, errmsg: 'Retryable writes are not supported' } : undefined;
  });
  const migrating = migrate(server.url);
  await expect(migrating).rejects.toThrow(
    'This database lacks what Lanekeeper needs:\n' +
      '  - retryable writes, which a replica set has: Retryable writes are not supported\n' +
      'Use MongoDB 7 or later as a replica set',
  );
  expect(asked).not.toContain('createIndexes');
});

test('every feature that a database lacks is named with its reason', async () => {
  await using server = await startFakeMongodb((command) =>
    isPipelineUpdate(command) || Array.isArray(command.update)
      ? { code: 9, errmsg: 'Failed to parse: no pipelines here' }
      : undefined,
  );
  const error = await migrate(server.url).catch((thrown: Error) => thrown);
  expect((error as Error).message.split('\n').slice(1, -1)).toEqual([
    '  - updates with an aggregation pipeline in a bulk: Failed to parse: no pipelines here',
    '  - findAndModify with an aggregation pipeline that returns the document after it: Failed to parse: no pipelines here',
  ]);
});

test('the database of these tests has every feature, and the check leaves nothing behind', async () => {
  const url = mongodbUrl(uniqueName('features'));
  const { created } = await migrate(url);
  expect(created).toContain('requests.userId_1_key_1');
  const stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000, autoMigrate: 0 });
  expect(await stores.userQueues.get(['feature-check'])).toEqual([]);
  await stores.drop();
  await stores.close();
});
