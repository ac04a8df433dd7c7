/** `npm run migrate` only goes forward: it may be killed half-way, run twice at once, and repeated. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { execaNode } from 'execa';
import mongoose from 'mongoose';
import { filesUnder, read } from '../docs/support/markdown.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(120_000);

const nothingToDo = 'nothing to do: all indexes are there';
const collections = ['accounts', 'apiKeys', 'counters', 'requests', 'userQueues', 'workers'];

let url: string;
let client: mongoose.mongo.MongoClient;

beforeEach(async () => {
  url = mongodbUrl(uniqueName('migrate'));
  client = await new mongoose.mongo.MongoClient(url).connect();
});
afterEach(async () => {
  await client.db().dropDatabase();
  await client.close();
});

const migrate = (through = url) =>
  execaNode('tools/lanekeeper.ts', ['migrate'], {
    nodePath: process.execPath,
    env: { MONGODB_URL: through },
    reject: false,
  });

const indexes = async (): Promise<string[]> => {
  const found = await Promise.all(
    collections.map(async (name) => {
      const own = await client
        .db()
        .collection(name)
        .listIndexes()
        .toArray()
        .catch(() => []);
      return own.filter((index) => index.name !== '_id_').map((index) => `${name}.${index.name}`);
    }),
  );
  return found.flat().sort();
};

test('two migrations at the same time both succeed, and then there is nothing to do', async () => {
  for (const { exitCode, stderr } of await Promise.all([migrate(), migrate()]))
    expect([exitCode, stderr]).toEqual([0, '']);
  expect((await indexes()).length).toBeGreaterThan(10);
  expect(await migrate()).toMatchObject({ exitCode: 0, stdout: nothingToDo });
});

test('a migration that was killed half-way is finished by the next one, which keeps what is there', async () => {
  const proxy = await startProxyTo(url);
  try {
    // Each index takes long enough to be between two of them.
    proxy.delay(100);
    const killed = migrate(proxy.url);
    await eventually('the first index is there', async () => (await indexes()).length > 0, 60_000);
    killed.kill('SIGKILL');
    await killed;
  } finally {
    await proxy.close();
  }
  const halfWay = await indexes();
  const { exitCode, stdout } = await migrate();
  expect(exitCode).toBe(0);
  const created = [...stdout.matchAll(/^created the index (.*)$/gm)].map(([, name]) => name);
  expect(created.length).toBeGreaterThan(0);
  expect(await indexes()).toEqual(expect.arrayContaining([...halfWay, ...created]));
  expect(halfWay.filter((name) => created.includes(name))).toEqual([]);
  expect(await migrate()).toMatchObject({ stdout: nothingToDo });
});

test('no code of Lanekeeper drops an index or a collection, or renames what is there', () => {
  const code = [...filesUnder('lib', '.ts'), ...filesUnder('tools', '.ts')].map(read).join('\n');
  expect(code.match(/\.(?:dropIndexes|dropCollection|renameCollection|rename|syncIndexes|cleanIndexes)\(/g)).toBeNull();
  // Named in the texts that say what a person may do.
  expect(code.match(/\.dropIndex\((?!')/g)).toBeNull();
});
