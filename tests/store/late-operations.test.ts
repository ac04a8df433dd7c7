/** The line about an operation that MongoDB answers late. */
import { expect, test } from '@jest/globals';
import { nameLateOperations } from '../../lib/store/late-operations.ts';
import { readableLog, warn } from '../support/log-lines.ts';
import { eventually } from '../support/world.ts';
import { openProxiedStores } from './proxied-stores.ts';

test('a late answer is logged with the operation, the number of its items and its time, and one in time is not', async () => {
  const { log, lines } = readableLog();
  const answered = Promise.withResolvers<string>();
  const store = {
    get: async (ids: string[]) => ids,
    flush: (_items: number[]) => answered.promise,
    pages: async function* () {
      yield [1];
    },
  };
  const named = nameLateOperations('users', store, { log, storeTimeoutMs: 100 });
  expect(await named.get(['u'])).toEqual(['u']);
  expect((await named.pages().next()).value).toEqual([1]);
  const since = performance.now();
  const flushed = named.flush([1, 2, 3]);
  await eventually('half of the timeout is over', () => performance.now() - since > 60);
  answered.resolve('flushed');
  expect(await flushed).toBe('flushed');
  const fields = { level: warn, operation: 'users.flush', items: 3 };
  expect(lines).toMatchObject([{ ...fields, msg: 'MongoDB answered late: users.flush' }]);
  expect(lines[0]?.ms).toBeGreaterThanOrEqual(60);
});

test('an operation that a server does not answer in time is logged by name, with the size of its bulk', async () => {
  await using proxied = await openProxiedStores('late');
  const { stores, proxy, lines } = proxied;
  proxy.freeze('from-server');
  const progress = ['u1', 'u2'].map((userId) => ({ userId, settled: 1, advanced: true }));
  await expect(stores.userQueues.flushSettled(progress, new Date())).rejects.toMatchObject({
    code: 'store-unavailable',
  });
  expect(lines).toContainEqual(
    expect.objectContaining({ level: warn, operation: 'userQueues.flushSettled', items: 2 }),
  );
});
