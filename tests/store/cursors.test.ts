/** Pages that end before their query does leave no cursor open on the server. */
import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { readUpTo } from '../../lib/store/entries.ts';
import { openStores } from '../../lib/store/stores.ts';
import { testConfig } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { at, claim, failed, newUserId } from './store-contract.ts';

const pages = 20;
/** More than the batch that a page fetches at a time, so that the first batch does not end the query. */
const entries = 40;

test('a page that `maxChars` ends closes its cursor on the server', async () => {
  const config = testConfig();
  const stores = openStores(config);
  const connection = await mongoose.createConnection(config.mongodbUrl).asPromise();
  const openCursors = async (): Promise<number> => {
    const status = await connection.getClient().db().admin().command({ serverStatus: 1 });
    return status.metrics.cursor.open.total;
  };
  try {
    const userId = newUserId();
    const seqs = Array.from({ length: entries }, (_, index) => index + 1);
    for (const seq of seqs) await stores.ledger.insert({ userId, seq, body: '"0123456789"', acceptedAt: at(1) });
    const guards = seqs.map((seq) => ({ userId, seq, token: 1, attempt: 1 }));
    await stores.ledger.commit(guards.map(claim));
    await stores.ledger.commit(guards.map(failed));

    const before = await openCursors();
    for (let page = 0; page < pages; page += 1) {
      expect(await stores.ledger.deadLetters({ userId, limit: entries, maxChars: 1 })).toHaveLength(1);
    }
    // Other tests use the same server, and may have a few cursors open.
    await eventually('the cursors are closed', async () => (await openCursors()) < before + pages / 2, 2_000);
  } finally {
    await connection.close();
    await stores.drop();
    await stores.close();
  }
});

test('a page that fails rejects with the reason, also when its cursor cannot be closed', async () => {
  let closes = 0;
  const broken = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        throw new Error('connection lost');
      },
    }),
    close: async () => {
      closes += 1;
      throw new Error('no cursor');
    },
  };
  await expect(readUpTo(10, broken, () => '')).rejects.toThrow('connection lost');
  expect(closes).toBe(1);
});
