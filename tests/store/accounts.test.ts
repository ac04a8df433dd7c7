import { expect, test } from '@jest/globals';
import { uniqueName } from '../support/servers.ts';
import { describeStores } from './store-contract.ts';

describeStores('accounts', (ports) => {
  test('an account is found by its name in any case, and keeps the name as it was given', async () => {
    const name = uniqueName('Ann');
    const userId = await ports.accounts.create(name, 'hash');
    expect(userId).toMatch(/^[0-9a-f]{24}$/);
    const found = await ports.accounts.findByUsername(name.toUpperCase());
    expect(found).toMatchObject({ userId, username: name, passwordHash: 'hash', role: 'user' });
  });

  test('an unknown name is not found', async () => {
    expect(await ports.accounts.findByUsername(uniqueName('nobody'))).toBeUndefined();
  });

  test('a name that differs only in case is taken, and the first account stays', async () => {
    const name = uniqueName('bob');
    await ports.accounts.create(name, 'first');
    expect(await ports.accounts.create(name.toUpperCase(), 'second')).toBeUndefined();
    expect(await ports.accounts.findByUsername(name)).toMatchObject({ username: name, passwordHash: 'first' });
  });

  test('of many registrations of one name at once exactly one wins', async () => {
    const name = uniqueName('eve');
    const created = await Promise.all(Array.from({ length: 20 }, () => ports.accounts.create(name, 'hash')));
    expect(created.filter((userId) => userId !== undefined)).toHaveLength(1);
  });
});
