import { expect, test } from '@jest/globals';
import type { RequestStatus } from '../../lib/types.ts';
import {
  at,
  block,
  claim,
  describeStores,
  done,
  failed,
  giveBack,
  insertQueued,
  newUserId,
  retry,
  theEntry,
} from './store-contract.ts';

const first = { seq: 1, token: 4, attempt: 1 };

describeStores('recording requests', (ports) => {
  test('an entry is recorded as queued, with its body unchanged', async () => {
    const userId = newUserId();
    const body = '{"text": "ü, \\u0000 and  spaces"}';
    expect(await ports.ledger.insert({ userId, seq: 1, key: 'k', body, acceptedAt: at(1) })).toBe('inserted');
    expect(await theEntry(ports, userId, 1)).toEqual({
      userId,
      seq: 1,
      key: 'k',
      body,
      status: 'queued',
      attempts: 0,
      acceptedAt: at(1),
    });
  });

  test('a second entry for a ticket is refused', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    expect(await ports.ledger.insert({ userId, seq: 1, body: '"other"', acceptedAt: at(2) })).toBe('duplicate-seq');
    expect((await theEntry(ports, userId, 1)).body).toBe('"1"');
  });

  test('a key is unique within its user, and entries without a key do not collide', async () => {
    const [userId, other] = [newUserId(), newUserId()];
    const record = (user: string, seq: number, key?: string) =>
      ports.ledger.insert({ userId: user, seq, key, body: '1', acceptedAt: at(1) });
    expect(await record(userId, 1, 'k')).toBe('inserted');
    expect(await record(userId, 2, 'k')).toBe('duplicate-key');
    expect(await record(other, 1, 'k')).toBe('inserted');
    expect(await record(userId, 3)).toBe('inserted');
    expect(await record(userId, 4)).toBe('inserted');
    expect(await ports.ledger.findByKey(userId, 'k')).toMatchObject({ userId, seq: 1 });
    expect(await ports.ledger.findByKey(userId, 'other')).toBeUndefined();
  });

  test('entries in order are inserted up to the first whose ticket or key another entry has', async () => {
    const userId = newUserId();
    const entry = (seq: number, key?: string) => ({ userId, seq, key, body: '1', acceptedAt: at(1) });
    expect(await ports.ledger.insertInOrder([entry(1, 'a'), entry(2, 'b'), entry(3)])).toEqual({ inserted: 3 });
    const reused = [entry(4), entry(5, 'a'), entry(6)];
    expect(await ports.ledger.insertInOrder(reused)).toEqual({ inserted: 1, refused: 'duplicate-key' });
    const fenced = [entry(3), entry(7)];
    expect(await ports.ledger.insertInOrder(fenced)).toEqual({ inserted: 0, refused: 'duplicate-seq' });
    const found = await ports.ledger.read([1, 2, 3, 4, 5, 6, 7].map((seq) => ({ userId, seq })));
    expect(found.map(({ seq }) => seq).sort()).toEqual([1, 2, 3, 4]);
  });

  test('of many concurrent requests with one key exactly one is recorded', async () => {
    const userId = newUserId();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ports.ledger.insert({ userId, seq: index + 1, key: 'k', body: '1', acceptedAt: at(1) }),
      ),
    );
    expect(answers.filter((answer) => answer === 'inserted')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'duplicate-key')).toHaveLength(19);
  });

  test('a tombstone is settled from the start, without body and key', async () => {
    const userId = newUserId();
    expect(await ports.ledger.insertTombstone({ userId, seq: 1 }, at(3))).toBe(true);
    const tombstone = { userId, seq: 1, status: 'abandoned', attempts: 0, acceptedAt: at(3), settledAt: at(3) };
    expect(await theEntry(ports, userId, 1)).toEqual(tombstone);
    expect(await ports.ledger.insertTombstone({ userId, seq: 1 }, at(4))).toBe(false);
    const ofTicket = { bytes: 5, bytesThrough: 9 };
    expect(await ports.ledger.insertTombstone({ userId, seq: 2, ...ofTicket }, at(3))).toBe(true);
    expect(await theEntry(ports, userId, 2)).toEqual({ ...tombstone, seq: 2, ...ofTicket });
    expect(await ports.ledger.sumSettled(userId, { after: 1, upTo: 2 })).toEqual({
      requests: 1,
      bytes: 5,
      bytesBefore: 0,
    });
    expect(await ports.ledger.sumSettled(userId, { after: 2, upTo: 3 })).toEqual({
      requests: 0,
      bytes: 0,
      bytesBefore: 9,
    });
  });

  test('of a concurrent entry and tombstone for one ticket exactly one wins', async () => {
    const userId = newUserId();
    for (let seq = 1; seq <= 30; seq += 1) {
      const [inserted, fenced] = await Promise.all([
        ports.ledger.insert({ userId, seq, body: '1', acceptedAt: at(1) }),
        ports.ledger.insertTombstone({ userId, seq }, at(2)),
      ]);
      const winner = fenced ? ['duplicate-seq', 'abandoned'] : ['inserted', 'queued'];
      expect([inserted, (await theEntry(ports, userId, seq)).status]).toEqual(winner);
    }
  });
});

describeStores('reading the ledger', (ports) => {
  test('only the entries that exist are read, each once', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 3);
    const found = await ports.ledger.read([1, 2, 3, 3].map((seq) => ({ userId, seq })));
    expect(found.map(({ seq }) => seq).sort()).toEqual([1, 3]);
    expect(await ports.ledger.read([])).toEqual([]);
  });

  test('heads come without body and result, which may be large', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2, 3);
    await ports.ledger.commit([1, 2].map((seq) => claim({ userId, ...first, seq })));
    await ports.ledger.commit([done({ userId, ...first }), block({ userId, ...first, seq: 2 })]);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ body: '"1"', result: '"ok"' });
    const heads = await ports.ledger.readHeads([1, 2, 3, 3, 4].map((seq) => ({ userId, seq })));
    const started = { token: first.token, startedAt: at(10) };
    expect(heads.sort((a, b) => a.seq - b.seq)).toEqual([
      { userId, seq: 1, status: 'done', acceptedAt: at(1), ...started },
      {
        userId,
        seq: 2,
        status: 'blocked',
        acceptedAt: at(2),
        ...started,
        deadLetter: { reason: 'crashed', at: at(20) },
      },
      { userId, seq: 3, status: 'queued', acceptedAt: at(3) },
    ]);
    expect(await ports.ledger.readHeads([])).toEqual([]);
  });

  test('an owner gets bodies only where it asks for them, and never results', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2);
    await ports.ledger.commit([claim({ userId, ...first })]);
    await ports.ledger.commit([done({ userId, ...first })]);
    const found = await ports.ledger.readWork([
      { userId, seq: 1, withBody: true },
      { userId, seq: 2, withBody: false },
      { userId, seq: 3, withBody: true },
    ]);
    expect(found.sort((a, b) => a.seq - b.seq)).toEqual([
      {
        userId,
        seq: 1,
        body: '"1"',
        status: 'done',
        acceptedAt: at(1),
        settledAt: at(20),
        token: first.token,
        attempts: 1,
      },
      { userId, seq: 2, status: 'queued', acceptedAt: at(2), attempts: 0 },
    ]);
    expect(await ports.ledger.readWork([])).toEqual([]);
  });

  test('all heads come, also when one query does not read as many', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 1_500, 2_999);
    const ids = Array.from({ length: 3_000 }, (_, index) => ({ userId, seq: index + 1 }));
    const heads = await ports.ledger.readHeads(ids);
    expect(heads.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual([1, 1_500, 2_999]);
  });

  test('a page lists the requests of one user by ascending `seq`, above `after`, up to the limit', async () => {
    const [userId, other] = [newUserId(), newUserId()];
    await insertQueued(ports, userId, 10, 9, 2, 11, 1);
    await insertQueued(ports, other, 3);
    const page = async (after: number, limit: number) =>
      (await ports.ledger.page(userId, { after, limit })).map(({ seq }) => seq);
    expect(await page(0, 10)).toEqual([1, 2, 9, 10, 11]);
    expect(await page(2, 2)).toEqual([9, 10]);
    expect(await page(11, 2)).toEqual([]);
  });

  test('a page leaves out the bodies, and nothing else', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim({ userId, ...first })]);
    await ports.ledger.commit([done({ userId, ...first })]);
    const { body, ...rest } = await theEntry(ports, userId, 1);
    expect(body).toBe('"1"');
    expect(await ports.ledger.page(userId, { after: 0, limit: 10 })).toEqual([rest]);
    expect(await ports.ledger.page(userId, { after: 0, upTo: rest.seq, limit: 10 })).toEqual([rest]);
    expect(await ports.ledger.page(userId, { after: 0, upTo: rest.seq - 1, limit: 10 })).toEqual([]);
  });

  test('a page ends with the entry whose result brings the sum above `maxChars`', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2, 3, 4);
    const settled = [1, 2, 3].map((seq) => ({ userId, ...first, seq }));
    await ports.ledger.commit(settled.map((change) => claim(change)));
    await ports.ledger.commit(settled.map((change) => done(change, '"0123456789"')));
    const page = async (maxChars: number) =>
      (await ports.ledger.page(userId, { after: 0, limit: 10, maxChars })).map(({ seq }) => seq);
    expect(await page(11)).toEqual([1]);
    expect(await page(12)).toEqual([1, 2]);
    expect(await page(36)).toEqual([1, 2, 3, 4]);
  });

  test('the status can be read alone', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2);
    await ports.ledger.cancel({ userId, seq: 1 }, at(5));
    const status = (seq: number) => ports.ledger.status({ userId, seq });
    expect(await Promise.all([1, 2, 3].map(status))).toEqual(['cancelled', 'queued', undefined]);
  });

  test('a page can be limited to one status', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2, 3, 4);
    await ports.ledger.cancel({ userId, seq: 2 }, at(5));
    await ports.ledger.commit([claim({ userId, ...first })]);
    const page = async (status: RequestStatus) =>
      (await ports.ledger.page(userId, { status, after: 0, limit: 10 })).map(({ seq }) => seq);
    expect(await page('queued')).toEqual([3, 4]);
    expect(await page('cancelled')).toEqual([2]);
    expect(await page('processing')).toEqual([1]);
    expect(await page('done')).toEqual([]);
  });

  test('the oldest pending request is the one with the lowest unsettled `seq` from the given one on', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 11, 10, 2, 1);
    await ports.ledger.cancel({ userId, seq: 1 }, at(5));
    await ports.ledger.commit([claim({ userId, ...first, seq: 2 })]);
    const oldest = async (from: number) => (await ports.ledger.oldestPending(userId, from))?.seq;
    expect(await oldest(1)).toBe(2);
    expect(await oldest(2)).toBe(2);
    expect(await oldest(3)).toBe(10);
    expect(await oldest(12)).toBeUndefined();
  });

  test('settled entries of one user are counted within a range, whatever their status', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2, 3, 5, 6);
    await ports.ledger.insertTombstone({ userId, seq: 4 }, at(5));
    await ports.ledger.cancel({ userId, seq: 5 }, at(5));
    await ports.ledger.commit([claim({ userId, ...first }), claim({ userId, ...first, seq: 2 })]);
    await ports.ledger.commit([done({ userId, ...first }), failed({ userId, ...first, seq: 2 })]);
    await insertQueued(ports, newUserId(), 3);
    expect(await ports.ledger.sumSettled(userId, { after: 0, upTo: 10 })).toMatchObject({ requests: 4 });
    expect(await ports.ledger.sumSettled(userId, { after: 1, upTo: 4 })).toMatchObject({ requests: 2 });
    expect(await ports.ledger.sumSettled(userId, { after: 5, upTo: 10 })).toMatchObject({ requests: 0 });
  });
});

describeStores('cancelling', (ports) => {
  test('only a queued request can be cancelled', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2, 3);
    await ports.ledger.commit([claim({ userId, ...first }), claim({ userId, ...first, seq: 2 })]);
    await ports.ledger.commit([done({ userId, ...first, seq: 2 })]);
    const cancel = (seq: number) => ports.ledger.cancel({ userId, seq }, at(9));
    expect(await Promise.all([1, 2, 3, 4].map(cancel))).toEqual([false, false, true, false]);
    expect(await theEntry(ports, userId, 3)).toMatchObject({ status: 'cancelled', settledAt: at(9) });
    expect(await cancel(3)).toBe(false);
  });

  test('a request that is queued again after a run cannot be cancelled', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2);
    await ports.ledger.commit([1, 2].map((seq) => claim({ userId, ...first, seq })));
    await ports.ledger.commit([giveBack({ userId, ...first }), block({ userId, ...first, seq: 2 })]);
    await ports.ledger.unblock({ userId, seq: 2, attempts: 1 });
    for (const seq of [1, 2]) {
      expect(await ports.ledger.cancel({ userId, seq }, at(30))).toBe(false);
      expect(await theEntry(ports, userId, seq)).toMatchObject({ status: 'queued', attempts: 1 });
    }
  });

  test('of several requests those are cancelled that may be, and no other user or `seq`', async () => {
    const [userId, other] = [newUserId(), newUserId()];
    await insertQueued(ports, userId, 1, 2, 3, 4, 5);
    await insertQueued(ports, other, 4);
    await ports.ledger.commit([1, 2, 3].map((seq) => claim({ userId, ...first, seq })));
    await ports.ledger.commit([giveBack({ userId, ...first, seq: 2 }), retry({ userId, ...first, seq: 3 })]);
    expect(await ports.ledger.cancelEach(userId, [1, 2, 3, 4, 9], at(30))).toBe(2);
    expect(await ports.ledger.cancelEach(userId, [1, 2, 3, 4, 9], at(31))).toBe(0);
    const entries = await ports.ledger.page(userId, { after: 0, limit: 10 });
    expect(entries.map(({ status }) => status)).toEqual(['processing', 'queued', 'cancelled', 'cancelled', 'queued']);
    expect(entries[2]).toMatchObject({ attempts: 1, settledAt: at(30), error: { message: 'not yet' } });
    expect(entries[2]).not.toHaveProperty('retryAt');
    expect((await theEntry(ports, other, 4)).status).toBe('queued');
  });

  test('of many concurrent claims and one cancellation of all, exactly one wins each request', async () => {
    const userId = newUserId();
    const seqs = Array.from({ length: 300 }, (_, index) => index + 1);
    await insertQueued(ports, userId, ...seqs);
    const claims = seqs.map((seq) => claim({ userId, seq, token: 1, attempt: 1 }));
    const [claimed, cancelled] = await Promise.all([
      ports.ledger.commit(claims),
      ports.ledger.cancelEach(userId, seqs, at(9)),
    ]);
    expect(claimed.filter(({ applied }) => applied).length + cancelled).toBe(300);
    const entries = await ports.ledger.page(userId, { after: 0, limit: 300 });
    expect(entries.map(({ status }) => status)).toEqual(
      claimed.map(({ applied }) => (applied ? 'processing' : 'cancelled')),
    );
  });

  test('all queued requests of a long range are cancelled, and none behind it', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 500, 501, 1_200, 1_201);
    expect(await ports.ledger.cancelQueued(userId, { after: 0, upTo: 1_200 }, at(30))).toBe(4);
    expect((await theEntry(ports, userId, 1_201)).status).toBe('queued');
  });

  test('cancelling the waiting requests of a range includes those that have run', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2);
    await ports.ledger.commit([claim({ userId, ...first })]);
    await ports.ledger.commit([giveBack({ userId, ...first })]);
    expect(await ports.ledger.cancelQueued(userId, { after: 0, upTo: 2 }, at(30))).toBe(2);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'cancelled', attempts: 1, startedAt: at(10) });
  });

  test('cancelling a range counts the requests, and changes no other status, `seq` or user', async () => {
    const [userId, other] = [newUserId(), newUserId()];
    await insertQueued(ports, userId, 1, 2, 3, 4, 5);
    await insertQueued(ports, other, 3);
    await ports.ledger.commit([claim({ userId, ...first, seq: 2 })]);
    expect(await ports.ledger.cancelQueued(userId, { after: 1, upTo: 4 }, at(9))).toBe(2);
    expect(await ports.ledger.cancelQueued(userId, { after: 1, upTo: 4 }, at(9))).toBe(0);
    const entries = await ports.ledger.page(userId, { after: 0, limit: 10 });
    expect(entries.map(({ status }) => status)).toEqual(['queued', 'processing', 'cancelled', 'cancelled', 'queued']);
    expect((await theEntry(ports, other, 3)).status).toBe('queued');
  });

  test('of a concurrent claim and cancel exactly one wins', async () => {
    const userId = newUserId();
    for (let seq = 1; seq <= 30; seq += 1) {
      await insertQueued(ports, userId, seq);
      const [[claimed], cancelled] = await Promise.all([
        ports.ledger.commit([claim({ userId, seq, token: 1, attempt: 1 })]),
        ports.ledger.cancel({ userId, seq }, at(9)),
      ]);
      expect(claimed?.applied).toBe(!cancelled);
      expect((await theEntry(ports, userId, seq)).status).toBe(cancelled ? 'cancelled' : 'processing');
    }
  });

  test('a cancelled request cannot be claimed, and a settled one cannot be settled again', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2);
    await ports.ledger.cancel({ userId, seq: 1 }, at(9));
    await ports.ledger.commit([claim({ userId, ...first, seq: 2 })]);
    await ports.ledger.commit([done({ userId, ...first, seq: 2 })]);
    const results = await ports.ledger.commit([
      claim({ userId, ...first }),
      claim({ userId, seq: 2, token: 5, attempt: 2 }),
      failed({ userId, ...first, seq: 2 }),
    ]);
    expect(results).toMatchObject([
      { applied: false, entry: { status: 'cancelled' } },
      { applied: false, entry: { status: 'done' } },
      { applied: false, entry: { status: 'done' } },
    ]);
  });
});
