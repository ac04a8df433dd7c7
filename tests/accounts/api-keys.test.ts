import { expect, test } from '@jest/globals';
import { createApiKey, isApiKey, type NewApiKey, verifyApiKey } from '../../lib/accounts/api-keys.ts';
import { systemClock } from '../../lib/clock.ts';
import type { KeyStore } from '../../lib/ports.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';

const start = Date.UTC(2030, 0, 1);

const open = () => {
  const { apiKeys, database } = createMemoryStores();
  let ms = start;
  const clock = { ...systemClock, now: () => new Date(ms) };
  const calls: string[] = [];
  const recorded = new Proxy(apiKeys, {
    get: (store, name: keyof KeyStore) => {
      calls.push(name);
      return store[name];
    },
  });
  const deps = { apiKeys: recorded, clock };
  return {
    deps,
    database,
    /** The calls of the store since the last look. */
    calls: () => calls.splice(0),
    later: (seconds: number) => {
      ms += seconds * 1_000;
    },
    create: async (more: Partial<NewApiKey> = {}) => {
      const created = await createApiKey({ name: 'shop', scopes: ['read'], ...more }, deps);
      if (!created) throw new Error('The name is taken.');
      return created;
    },
  };
};

test('a new key has at least 192 random bits, and the store has none of them', async () => {
  const { create, database } = open();
  const { key, secret } = await create();
  expect(secret).toMatch(/^lk_[0-9a-f]{12}_[0-9a-f]{64}$/);
  expect(isApiKey(secret)).toBe(true);
  const stored = JSON.stringify([...database.apiKeys.values()]);
  expect(stored).toContain(key.id);
  expect(stored).not.toContain(secret.slice(-64));
  expect((await create({ name: 'other' })).secret.slice(-64)).not.toBe(secret.slice(-64));
});

test('a name can be taken once', async () => {
  const { create } = open();
  await create();
  await expect(create()).rejects.toThrow('The name is taken.');
});

test('a key is verified with one read; its use is written once a minute', async () => {
  const { create, calls, deps, later } = open();
  const { key, secret } = await create();
  calls();
  expect(await verifyApiKey(secret, deps)).toEqual(key);
  expect(calls()).toEqual(['find', 'noteUse']);
  later(59);
  expect((await verifyApiKey(secret, deps)).lastUsedAt).toEqual(new Date(start));
  expect(calls()).toEqual(['find']);
  later(1);
  await verifyApiKey(secret, deps);
  expect(calls()).toEqual(['find', 'noteUse']);
});

test('a wrong, malformed or revoked key is refused in the same words', async () => {
  const { create, deps } = open();
  const { key, secret } = await create();
  const wrongLast = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0');
  const messages = new Set<string>();
  const refused = async (credential: string) => {
    const error = await verifyApiKey(credential, deps).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'invalid-key', status: 401 });
    messages.add(error.message);
  };
  const others = [secret.toUpperCase(), secret.slice(0, -1), `${secret}0`, `lk_${'0'.repeat(12)}_${secret.slice(-64)}`];
  for (const credential of [wrongLast, ...others, 'lk_', 'lk_x_y', `${secret}\n`]) await refused(credential);
  await deps.apiKeys.revoke(key.id);
  await refused(secret);
  expect(messages.size).toBe(1);
});

test('a key that has expired says so to whoever knows its secret, and to nobody else', async () => {
  const { create, deps, later } = open();
  const { secret } = await create({ expiresAt: new Date(start + 10_000) });
  later(9.999);
  await verifyApiKey(secret, deps);
  later(0.001);
  await expect(verifyApiKey(secret, deps)).rejects.toMatchObject({
    code: 'invalid-key',
    message: expect.stringContaining('expired at 2030-01-01T00:00:10.000Z'),
  });
  const wrong = `${secret.slice(0, -4)}${secret.endsWith('0000') ? '1111' : '0000'}`;
  await expect(verifyApiKey(wrong, deps)).rejects.toThrow('there is no such key');
});

test('a key with a rate is refused above it, and says when it may call again', async () => {
  const { create, deps, later, calls } = open();
  const { key, secret } = await create({ ratePerSecond: 2 });
  calls();
  const verify = () => verifyApiKey(secret, deps);
  await Promise.all([verify(), verify()]);
  expect(calls()).toEqual(['find', 'find', 'takeCall', 'takeCall']);
  await expect(verify()).rejects.toMatchObject({ code: 'key-rate-exceeded', status: 429, retryAfterSeconds: 1 });
  later(0.5);
  await verify();
  // Revoked between the read and the update.
  const gone = { ...deps, apiKeys: { ...deps.apiKeys, find: async () => key, takeCall: async () => undefined } };
  await expect(verifyApiKey(secret, gone)).rejects.toMatchObject({ code: 'invalid-key' });
});
