import { expect, jest, test } from '@jest/globals';
import { guardIndexes } from '../../lib/store/index-guard.ts';
import type { Models } from '../../lib/store/models.ts';

const unique = (key: object) => ({ name: `${Object.keys(key)[0]}_1`, key, unique: true });

/** A database with these indexes, as far as the guard asks it. */
const databaseOf = (has: { accounts: object[]; counters: object[] }) => {
  const modelOf = (collection: keyof typeof has, key: object) => ({
    schema: { indexes: () => [[key, { unique: true }]] },
    collection: { listIndexes: () => ({ toArray: async () => [...has[collection]] }) },
    db: { get: () => undefined },
  });
  const models = { accounts: modelOf('accounts', { name: 1 }), counters: modelOf('counters', { key: 1 }) };
  return { models: models as unknown as Models, collections: { accounts: models.accounts.collection } };
};

const openGuard = (models: Models, build?: () => Promise<unknown>) => {
  const log = { warn: jest.fn<() => void>(), info: jest.fn<() => void>() };
  return { log, guard: guardIndexes({ models, log, build }) };
};

test('only an operation that needs the missing unique index is refused', async () => {
  const { guard } = openGuard(databaseOf({ accounts: [unique({ name: 1 })], counters: [] }).models);
  await guard.check();
  await guard.check('accounts.name_1');
  for (const needs of ['counters.key_1', 'all'] as const) {
    await expect(guard.check(needs)).rejects.toMatchObject({ code: 'not-migrated' });
  }
});

test('a build that failed is tried again after a minute, and is logged once', async () => {
  let now = 1_000;
  using _ = jest.spyOn(performance, 'now').mockImplementation(() => now);
  const build = jest.fn(() => Promise.reject(new Error('an index is in the way')));
  const { guard, log } = openGuard(databaseOf({ accounts: [], counters: [unique({ key: 1 })] }).models, build);
  const checkFor = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      await expect(guard.check('accounts.name_1')).rejects.toMatchObject({ code: 'not-migrated' });
      await guard.check('counters.key_1');
      await guard.settled();
      now += 1_000;
    }
  };
  await checkFor(59);
  expect(build).toHaveBeenCalledTimes(1);
  await checkFor(10);
  expect(build).toHaveBeenCalledTimes(2);
  expect(log.warn).toHaveBeenCalledTimes(1);
});

test('a look that began before a build ended does not undo what the build has done', async () => {
  let now = 1_000;
  using _ = jest.spyOn(performance, 'now').mockImplementation(() => now);
  const has = { accounts: [] as object[], counters: [unique({ key: 1 })] };
  const { models, collections } = databaseOf(has);
  const build = Promise.withResolvers<void>();
  const { guard } = openGuard(models, () => build.promise);
  await guard.check();
  now += 6_000;
  const listed = Promise.withResolvers<void>();
  collections.accounts.listIndexes = () => ({
    toArray: async () => {
      const before = [...has.accounts];
      await listed.promise;
      return before;
    },
  });
  const late = guard.check();
  has.accounts.push(unique({ name: 1 }));
  build.resolve();
  await guard.settled();
  listed.resolve();
  await late;
  await guard.check('accounts.name_1');
});
