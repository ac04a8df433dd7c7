import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { testConfig, uniqueName } from '../support/servers.ts';

let stores: Stores;
beforeAll(() => {
  stores = openStores(testConfig());
});
afterAll(async () => {
  await stores.drop();
  await stores.close();
});

const done = async (userId: string, seq: number, result: string) => {
  const now = new Date();
  const guard = { userId, seq, token: 1, attempt: 1, at: now };
  await stores.ledger.insert({ userId, seq, body: '"hello"', acceptedAt: now });
  await stores.ledger.commit([{ ...guard, kind: 'claim', interruptions: 0, forgiven: 0 }]);
  await stores.ledger.commit([{ ...guard, kind: 'settle', status: 'done', result }]);
};

test('entries come without their bodies, and with results of up to 16 KiB', async () => {
  const userId = uniqueName('user');
  const results = [
    '1',
    JSON.stringify('x'.repeat(16_382)),
    JSON.stringify('x'.repeat(16_383)),
    JSON.stringify('ä'.repeat(8_192)),
  ];
  for (const [index, result] of results.entries()) await done(userId, index + 1, result);
  await stores.ledger.insert({
    userId,
    seq: 5,
    key: 'key',
    body: '1',
    acceptedAt: new Date(),
    limits: { maxAttempts: 2 },
  });
  const ids = [1, 2, 3, 4, 5, 6].map((seq) => ({ userId, seq }));
  const found = (await stores.events.entries(ids)).sort((a, b) => a.seq - b.seq);
  const whole = (await stores.ledger.read(ids)).sort((a, b) => a.seq - b.seq);
  const shown = whole.map(
    ({ body: _, token: __, bytes: ___, forgiven: ____, interruptions: _____, ...entry }, index) => {
      const { result, ...rest } = entry;
      return result === undefined || index === 2 || index === 3 ? rest : entry;
    },
  );
  expect(found).toEqual(shown);
  expect(await stores.events.phases(ids.slice(3))).toEqual([
    { userId, seq: 4, status: 'done', attempts: 1 },
    { userId, seq: 5, status: 'queued', attempts: 0 },
  ]);
});

test('of a queue only what a look needs is read', async () => {
  const userId = uniqueName('user');
  const session = { id: 'session', expiresAt: new Date(Date.now() + 60_000) };
  await stores.userQueues.addSession(userId, session, 3, 10, 'ada');
  expect(await stores.events.queues([userId, uniqueName('nobody')])).toEqual([
    { userId, accepted: 0, settled: 0, state: 'closed', sessions: [session] },
  ]);
});
