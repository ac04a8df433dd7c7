import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
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
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/lanekeeper.ts', 'operator', ...args], {
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
  expect(operator('nobody')).toEqual({
    status: 1,
    said: 'There is no account nobody. Register it first, or use --create.',
  });
  expect(operator()).toEqual({ status: 1, said: expect.stringContaining("missing required argument 'name'") });
});

test.each([
  { name: 'Edsger', args: ['--create', 'Edsger'] },
  { name: 'Barbara', args: ['Barbara', '--create'] },
  { name: 'Donald', args: ['Donald', '--create', '--grant'] },
])('an operator is made with one command: $args', async ({ name, args }) => {
  const { status, said } = operator(...args);
  const told = `^${name} has an account now, with the password \\S{24}\n${name} is an operator now$`;
  expect([status, said]).toEqual([0, expect.stringMatching(told)]);
  expect((await stores.accounts.findByUsername(name))?.role).toBe('operator');
});

test('an account without the role can be created, and its password logs in', async () => {
  const { status, said } = operator('--create', 'Grace', '--plain');
  expect(status).toBe(0);
  const [, password = ''] = /^Grace has an account now, with the password (\S{24})$/.exec(said) ?? [];
  const { passwordHash = '', role } = (await stores.accounts.findByUsername('grace')) ?? {};
  expect(role).toBe('user');
  expect(await bcrypt.compare(password, passwordHash)).toBe(true);
  expect(operator('grace', '--create', '--plain')).toEqual({ status: 1, said: expect.stringContaining('is taken') });
  expect(operator('no good name', '--create')).toEqual({ status: 1, said: expect.stringContaining('must be 3 to 64') });
  expect(operator('grace', '--plain')).toEqual({ status: 1, said: expect.stringContaining('belongs to --create') });
});
