import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';

const url = mongodbUrl(uniqueName('operator'));
let stores: Stores;

beforeAll(() => {
  stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000 });
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

test('the role of an operator is given and taken by name, whatever its case', async () => {
  const userId = (await stores.accounts.create('Ada', 'hash')) ?? '';
  const role = async () => (await stores.accounts.find(userId))?.role;
  expect(await role()).toBe('user');
  expect(operator('ada')).toEqual({ status: 0, said: 'ada is an operator' });
  expect(await role()).toBe('operator');
  expect(operator('Ada', '--revoke')).toEqual({ status: 0, said: 'Ada is no operator any more' });
  expect(await role()).toBe('user');
});

test('an unknown name and a missing one are refused, with a word on what to do', () => {
  expect(operator('nobody')).toEqual({ status: 1, said: 'There is no account nobody. Register it first.' });
  expect(operator()).toEqual({ status: 1, said: 'Usage: npm run operator -- NAME [--revoke]' });
});
