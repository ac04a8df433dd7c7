import { expect, test } from '@jest/globals';
import { uniqueName } from '../support/servers.ts';
import { apiKey, at, describeStores } from './store-contract.ts';

const newId = () => uniqueName('id');

describeStores('API keys', (ports) => {
  const created = async (more: Parameters<typeof apiKey>[1] = {}) => {
    const key = apiKey(newId(), more);
    expect(await ports.apiKeys.create(key)).toBe(true);
    return key;
  };

  test('a key is found by its id, as it was created', async () => {
    const key = await created({ scopes: ['read'], expiresAt: at(9), ratePerSecond: 5 });
    expect(await ports.apiKeys.find(key.id)).toEqual(key);
    const plain = await created();
    expect(await ports.apiKeys.find(plain.id)).toEqual(plain);
    expect(await ports.apiKeys.find(newId())).toBeUndefined();
  });

  test('a name or an id that is taken creates nothing', async () => {
    const key = await created();
    expect(await ports.apiKeys.create(apiKey(newId(), { name: key.name }))).toBe(false);
    expect(await ports.apiKeys.create(apiKey(key.id, { name: uniqueName('other') }))).toBe(false);
    expect(await ports.apiKeys.find(key.id)).toEqual(key);
  });

  test('of many concurrent creations under one name exactly one wins', async () => {
    const name = uniqueName('shop');
    const all = await Promise.all(Array.from({ length: 10 }, () => ports.apiKeys.create(apiKey(newId(), { name }))));
    expect(all.filter(Boolean)).toHaveLength(1);
  });

  test('all keys are listed by name', async () => {
    const prefix = uniqueName('list');
    for (const name of ['b', 'c', 'a']) await created({ name: `${prefix}-${name}` });
    const names = (await ports.apiKeys.list()).map(({ name }) => name).filter((name) => name.startsWith(prefix));
    expect(names).toEqual(['a', 'b', 'c'].map((name) => `${prefix}-${name}`));
  });

  test('a key is revoked by its id or its name, once, and its name is free again', async () => {
    for (const by of ['id', 'name'] as const) {
      const key = await created();
      expect(await ports.apiKeys.revoke(key[by])).toEqual(key);
      expect(await ports.apiKeys.find(key.id)).toBeUndefined();
      expect(await ports.apiKeys.revoke(key[by])).toBeUndefined();
      await created({ name: key.name });
    }
  });

  test('a use is recorded at most once a minute', async () => {
    const { id } = await created();
    const lastUse = async () => (await ports.apiKeys.find(id))?.lastUsedAt;
    for (const [second, recorded] of [
      [0, 0],
      [59, 0],
      [60, 60],
      [61, 60],
    ] as const) {
      await ports.apiKeys.noteUse(id, at(second));
      expect(await lastUse()).toEqual(at(recorded));
    }
    await ports.apiKeys.noteUse(newId(), at(0));
  });

  test('a rate allows so many calls at once, then one after the other; a refusal takes nothing', async () => {
    const { id } = await created({ ratePerSecond: 4 });
    const take = (second: number) => ports.apiKeys.takeCall(id, 4, at(second));
    const first = await Promise.all(Array.from({ length: 6 }, () => take(10)));
    expect(first.filter((waitMs) => waitMs === 0)).toHaveLength(4);
    expect(first.filter((waitMs) => waitMs !== 0)).toEqual([250, 250]);
    expect(await take(10.2)).toBe(50);
    expect(await take(10.25)).toBe(0);
    expect(await take(10.25)).toBe(250);
    expect((await Promise.all([take(30), take(30), take(30), take(30)])).every((waitMs) => waitMs === 0)).toBe(true);
    expect((await ports.apiKeys.find(id))?.lastUsedAt).toEqual(at(30));
  });

  test('a rate that was used before the clock was set back does not block the key', async () => {
    const { id } = await created({ ratePerSecond: 1 });
    expect(await ports.apiKeys.takeCall(id, 1, at(5_000))).toBe(0);
    expect(await ports.apiKeys.takeCall(id, 1, at(0))).toBe(0);
  });

  test('a key that is gone takes no call', async () => {
    expect(await ports.apiKeys.takeCall(newId(), 1, at(0))).toBeUndefined();
  });
});
