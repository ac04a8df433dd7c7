import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';

const url = mongodbUrl(uniqueName('operator'));
let stores: Stores;

beforeAll(() => {
  stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000, autoMigrate: 1 });
});
afterAll(async () => {
  await stores.drop();
  await stores.close();
});

const operator = (...args: string[]) => {
  const env = { ...process.env, MONGODB_URL: url };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/operator.ts', ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}`.trim() };
};

test('an account gets and loses the operator role by its name, in any case', async () => {
  const userId = (await stores.accounts.create('Ada', 'hash')) ?? '';
  const role = async () => (await stores.accounts.find(userId))?.role;
  expect(await role()).toBe('user');
  expect(operator('ada')).toEqual({ status: 0, said: 'ada is an operator now' });
  expect(await role()).toBe('operator');
  expect(operator('Ada', '--revoke')).toEqual({ status: 0, said: 'Ada is no longer an operator' });
  expect(await role()).toBe('user');
});

test('an unknown or a missing name is refused, with a message that says what to do', () => {
  expect(operator('nobody')).toEqual({ status: 1, said: 'There is no account nobody. Register it first.' });
  expect(operator()).toEqual({ status: 1, said: 'Usage: npm run operator -- NAME [--revoke]' });
});
