import { expect, test } from '@jest/globals';
import { uniqueName } from '../support/servers.ts';
import { describeStores } from './store-contract.ts';

describeStores('accounts', (ports) => {
  test('an account is found by its name in any case, and keeps the case in which it was created', async () => {
    const name = uniqueName('Ann');
    const userId = await ports.accounts.create(name, 'hash');
    expect(userId).toMatch(/^[0-9a-f]{24}$/);
    const found = await ports.accounts.findByUsername(name.toUpperCase());
    expect(found).toMatchObject({ userId, username: name, passwordHash: 'hash', role: 'user' });
  });

  test('an unknown name is not found', async () => {
    expect(await ports.accounts.findByUsername(uniqueName('nobody'))).toBeUndefined();
  });

  test('an account is found by its id; an unknown or malformed id finds none', async () => {
    const userId = (await ports.accounts.create(uniqueName('ida'), 'hash')) ?? '';
    expect(await ports.accounts.find(userId)).toMatchObject({ userId, role: 'user' });
    for (const unknown of ['f'.repeat(24), 'no id']) expect(await ports.accounts.find(unknown)).toBeUndefined();
  });

  test('the names of many accounts are read together; unknown and malformed ids have none', async () => {
    const names = [uniqueName('Nina'), uniqueName('nora')];
    const ids = await Promise.all(names.map(async (name) => (await ports.accounts.create(name, 'hash')) ?? ''));
    const found = await ports.accounts.usernames([...ids, ids[0]!, 'f'.repeat(24), 'no id']);
    expect(found).toEqual(new Map(ids.map((userId, index) => [userId, names[index]])));
    expect(await ports.accounts.usernames([])).toEqual(new Map());
  });

  test('operators are found among many users; unknown and malformed ids are none', async () => {
    const names = [uniqueName('olaf'), uniqueName('oona')];
    const [olaf, oona] = await Promise.all(
      names.map(async (name) => (await ports.accounts.create(name, 'hash')) ?? ''),
    );
    await ports.accounts.setRole(names[0] ?? '', 'operator');
    const found = await ports.accounts.operators([olaf ?? '', oona ?? '', 'f'.repeat(24), 'no id']);
    expect(found).toEqual(new Set([olaf]));
  });

  test('a role is given by name in any case, if the account exists', async () => {
    const name = uniqueName('olga');
    await ports.accounts.create(name, 'hash');
    expect(await ports.accounts.setRole(name.toUpperCase(), 'operator')).toBe(true);
    expect(await ports.accounts.findByUsername(name)).toMatchObject({ role: 'operator' });
    expect(await ports.accounts.setRole(uniqueName('nobody'), 'operator')).toBe(false);
  });

  test('a password hash is replaced once, by whoever knows the present one', async () => {
    const name = uniqueName('ada');
    const userId = String(await ports.accounts.create(name, 'old'));
    expect(await ports.accounts.replacePasswordHash(userId, 'another', 'new')).toBe(false);
    const replaced = ['new', 'newer'].map((to) => ports.accounts.replacePasswordHash(userId, 'old', to));
    expect((await Promise.all(replaced)).sort()).toEqual([false, true]);
    expect(await ports.accounts.findByUsername(name)).toMatchObject({
      passwordHash: expect.stringMatching(/^newe?r?$/),
    });
  });

  test('a name that differs only in case is taken, and the first account stays', async () => {
    const name = uniqueName('bob');
    await ports.accounts.create(name, 'first');
    expect(await ports.accounts.create(name.toUpperCase(), 'second')).toBeUndefined();
    expect(await ports.accounts.findByUsername(name)).toMatchObject({ username: name, passwordHash: 'first' });
  });

  test('of many concurrent registrations of one name exactly one wins', async () => {
    const name = uniqueName('eve');
    const created = await Promise.all(Array.from({ length: 20 }, () => ports.accounts.create(name, 'hash')));
    expect(created.filter((userId) => userId !== undefined)).toHaveLength(1);
  });
});
