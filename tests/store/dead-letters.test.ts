import { expect, test } from '@jest/globals';
import type { EntryId } from '../../lib/types.ts';
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
  type Ports,
  theEntry,
} from './store-contract.ts';

const guard = (userId: string, seq = 1) => ({ userId, seq, token: 7, attempt: 1 });

/** A user whose first request is blocked after one attempt. */
const newBlocked = async (ports: Ports): Promise<string> => {
  const userId = newUserId();
  await insertQueued(ports, userId, 1);
  await ports.ledger.commit([claim(guard(userId))]);
  await ports.ledger.commit([block(guard(userId))]);
  return userId;
};

const ofAll = { userId: undefined, limit: 100_000 };

describeStores('blocked requests and dead letters', (ports) => {
  test('a blocked request is pending, and a dead letter with its reason', async () => {
    const userId = await newBlocked(ports);
    const entry = await theEntry(ports, userId, 1);
    const deadLetter = { reason: 'crashed', at: at(20) };
    expect(entry).toMatchObject({ status: 'blocked', error: { message: 'no luck' }, deadLetter });
    expect(entry).not.toHaveProperty('settledAt');
    expect((await ports.ledger.oldestPending(userId, 1))?.seq).toBe(1);
  });

  test('a blocked request is neither claimed nor settled', async () => {
    const userId = await newBlocked(ports);
    const refused = { applied: false, entry: { status: 'blocked', attempts: 1 } };
    for (const change of [claim({ ...guard(userId), attempt: 2 }), done(guard(userId)), failed(guard(userId))]) {
      expect(await ports.ledger.commit([change])).toMatchObject([refused]);
    }
  });

  test('a block and a give-back that are sent twice are reported as applied', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1, 2);
    await ports.ledger.commit([claim(guard(userId, 1)), claim(guard(userId, 2))]);
    const changes = [block(guard(userId, 1)), giveBack(guard(userId, 2))];
    expect(await ports.ledger.commit(changes)).toEqual([{ applied: true }, { applied: true }]);
    expect(await ports.ledger.commit(changes)).toEqual([{ applied: true }, { applied: true }]);
  });

  test('a request that is given back is queued again with its attempt forgiven, and its next claim is the next attempt', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard(userId))]);
    for (const _sentTwice of [1, 2]) await ports.ledger.commit([giveBack(guard(userId))]);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'queued', token: 7, attempts: 1, forgiven: 1 });
    const next = { ...claim({ ...guard(userId), attempt: 2 }), forgiven: 1 };
    for (const _sentTwice of [1, 2]) expect(await ports.ledger.commit([next])).toEqual([{ applied: true }]);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'processing', attempts: 2, forgiven: 1 });
  });

  test('a give-back that comes after the next claim changes nothing, and is reported as not applied', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard(userId))]);
    await ports.ledger.commit([
      { ...claim({ ...guard(userId), token: 8, attempt: 2 }), forgiven: 1, interruptions: 1 },
    ]);
    const taken = { status: 'processing', attempts: 2, forgiven: 1, interruptions: 1 };
    expect(await ports.ledger.commit([giveBack(guard(userId))])).toMatchObject([{ applied: false, entry: taken }]);
    expect(await theEntry(ports, userId, 1)).toMatchObject(taken);
  });

  test('only the owner of the newest claim can block it or give it back [R7]', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard(userId))]);
    for (const wrong of [{ token: 6 }, { token: 8 }, { attempt: 2 }]) {
      for (const change of [block({ ...guard(userId), ...wrong }), giveBack({ ...guard(userId), ...wrong })]) {
        expect(await ports.ledger.commit([change])).toMatchObject([
          { applied: false, entry: { status: 'processing' } },
        ]);
      }
    }
  });

  test('unblocking queues the request again, forgives its attempts and removes the dead letter', async () => {
    const userId = await newBlocked(ports);
    expect(await ports.ledger.unblock({ userId, seq: 1, attempts: 1 })).toBe(true);
    const entry = await theEntry(ports, userId, 1);
    expect(entry).toMatchObject({ status: 'queued', attempts: 1, forgiven: 1 });
    for (const gone of ['deadLetter', 'error', 'interruptions']) expect(entry).not.toHaveProperty(gone);
    expect(await ports.ledger.commit([claim({ ...guard(userId), attempt: 2 })])).toEqual([{ applied: true }]);
  });

  test('a block that is sent twice is reported as applied, also after a person has decided about it', async () => {
    for (const decide of ['unblock', 'skip', 'cancel'] as const) {
      const userId = await newBlocked(ports);
      const id = { userId, seq: 1 };
      if (decide === 'unblock') await ports.ledger.unblock({ ...id, attempts: 1 });
      if (decide === 'skip') await ports.ledger.skip(id, at(30));
      if (decide === 'cancel') await ports.ledger.cancelQueued(userId, { after: 0, upTo: 1 }, at(30));
      const decided = await theEntry(ports, userId, 1);
      expect(await ports.ledger.commit([block(guard(userId))])).toEqual([{ applied: true }]);
      expect(await theEntry(ports, userId, 1)).toEqual(decided);
    }
  });

  test('unblocking is refused when the request has changed since it was read, or is not blocked', async () => {
    const userId = await newBlocked(ports);
    expect(await ports.ledger.unblock({ userId, seq: 1, attempts: 0 })).toBe(false);
    expect(await ports.ledger.unblock({ userId, seq: 2, attempts: 1 })).toBe(false);
    expect(await ports.ledger.unblock({ userId, seq: 1, attempts: 1 })).toBe(true);
    expect(await ports.ledger.unblock({ userId, seq: 1, attempts: 1 })).toBe(false);
  });

  test('cancelling waiting requests includes a blocked one, which is settled and no longer a dead letter', async () => {
    const userId = await newBlocked(ports);
    expect(await ports.ledger.cancelQueued(userId, { after: 0, upTo: 1 }, at(30))).toBe(1);
    const entry = await theEntry(ports, userId, 1);
    expect(entry).toMatchObject({ status: 'cancelled', settledAt: at(30) });
    expect(entry).not.toHaveProperty('deadLetter');
  });

  test('of a concurrent unblock, skip and cancel exactly one wins', async () => {
    for (let round = 0; round < 10; round += 1) {
      const userId = await newBlocked(ports);
      const [unblocked, skipped, cancelled] = await Promise.all([
        ports.ledger.unblock({ userId, seq: 1, attempts: 1 }),
        ports.ledger.skip({ userId, seq: 1 }, at(30)),
        ports.ledger.cancelQueued(userId, { after: 0, upTo: 1 }, at(30)),
      ]);
      const { status } = await theEntry(ports, userId, 1);
      // An unblocked request is queued, and may be cancelled after that.
      const afterUnblock = cancelled === 1 ? 'cancelled' : 'queued';
      const expected = unblocked ? afterUnblock : skipped ? 'failed' : 'cancelled';
      expect({ skipped, status }).toEqual({ skipped: expected === 'failed', status: expected });
    }
  });

  test('skipping settles a blocked request as failed; it stays a dead letter with its error', async () => {
    const userId = await newBlocked(ports);
    expect(await ports.ledger.skip({ userId, seq: 1 }, at(30))).toBe(true);
    const kept = { error: { message: 'no luck' }, deadLetter: { reason: 'crashed', at: at(20) } };
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'failed', settledAt: at(30), ...kept });
    expect(await ports.ledger.skip({ userId, seq: 1 }, at(31))).toBe(false);
  });

  test('only the dead letter of a settled request is dropped, and only once', async () => {
    const userId = await newBlocked(ports);
    expect(await ports.ledger.dropDeadLetter({ userId, seq: 1 })).toBe(false);
    await ports.ledger.skip({ userId, seq: 1 }, at(30));
    expect(await ports.ledger.dropDeadLetter({ userId, seq: 1 })).toBe(true);
    expect(await theEntry(ports, userId, 1)).not.toHaveProperty('deadLetter');
    expect(await ports.ledger.dropDeadLetter({ userId, seq: 1 })).toBe(false);
  });

  test('dead letters come in the order of their times, page after page, also when times are equal', async () => {
    const userId = newUserId();
    const seqs = [1, 2, 3, 4, 5];
    await insertQueued(ports, userId, ...seqs);
    await ports.ledger.commit(seqs.map((seq) => claim(guard(userId, seq))));
    const times: Record<number, number> = { 1: 25, 2: 22, 3: 25, 4: 21 };
    for (const seq of [1, 2, 3, 4]) {
      await ports.ledger.commit([{ ...failed(guard(userId, seq)), at: at(times[seq] ?? 0) }]);
    }
    const found: number[] = [];
    for (let after: Parameters<typeof ports.ledger.deadLetters>[0]['after']; ; ) {
      const page = await ports.ledger.deadLetters({ userId, after, limit: 3 });
      found.push(...page.map(({ seq }) => seq));
      const last = page.at(-1);
      if (!last?.deadLetter) break;
      after = { at: last.deadLetter.at, userId, seq: last.seq };
    }
    expect(found).toEqual([4, 2, 1, 3]);
    const heads = await ports.ledger.deadLetterHeads({ userId, after: { at: at(22), userId, seq: 2 }, limit: 1 });
    expect(heads).toEqual([{ userId, seq: 1, deadLetter: { reason: 'failed', at: at(25) } }]);
  });

  test('a page of dead letters ends with the one whose body brings the sum above `maxChars`', async () => {
    const userId = newUserId();
    const seqs = [1, 2, 3, 4];
    for (const seq of seqs) await ports.ledger.insert({ userId, seq, body: '"0123456789"', acceptedAt: at(1) });
    await ports.ledger.commit(seqs.map((seq) => claim(guard(userId, seq))));
    await ports.ledger.commit(seqs.map((seq) => failed(guard(userId, seq))));
    const page = async (maxChars: number) =>
      (await ports.ledger.deadLetters({ userId, limit: 10, maxChars })).map(({ seq }) => seq);
    expect(await page(11)).toEqual([1]);
    expect(await page(12)).toEqual([1, 2]);
    expect(await page(48)).toEqual([1, 2, 3, 4]);
  });

  test('the ids of dead letters come user after user and by `seq`, page after page, whatever their times say', async () => {
    const [a, b, c] = [1, 2, 3].map((n) => `${newUserId()}-${n}`).sort() as [string, string, string];
    const seqs = [2, 9, 10, 100];
    for (const userId of [c, a, b]) {
      await insertQueued(ports, userId, 1, ...seqs);
      await ports.ledger.commit(seqs.map((seq) => claim(guard(userId, seq))));
      for (const seq of seqs) await ports.ledger.commit([{ ...failed(guard(userId, seq)), at: at(1_000 - seq) }]);
    }
    const found: EntryId[] = [];
    for (let after: EntryId | undefined; ; after = found.at(-1)) {
      const page = await ports.ledger.deadLetterIds({ after, limit: 3 });
      if (page.length === 0) break;
      found.push(...page);
    }
    const ofThese = found.filter(({ userId }) => [a, b, c].includes(userId));
    expect(ofThese).toEqual([a, b, c].flatMap((userId) => seqs.map((seq) => ({ userId, seq }))));
    const after = { userId: b, seq: 9 };
    expect(await ports.ledger.deadLetterIds({ userId: b, limit: 9, after })).toEqual(
      [10, 100].map((seq) => ({ userId: b, seq })),
    );
    expect(await ports.ledger.deadLetterIds({ userId: newUserId(), limit: 9 })).toEqual([]);
  });

  test('dead letters are listed for all users, or for one', async () => {
    const [userId, other] = [await newBlocked(ports), await newBlocked(ports)];
    const users = async (query: { userId?: string; limit: number }) =>
      (await ports.ledger.deadLetters(query)).map((entry) => entry.userId);
    expect(await users(ofAll)).toEqual(expect.arrayContaining([userId, other]));
    expect(await users({ ...ofAll, userId })).toEqual([userId]);
  });

  test('the limits of a request, the request that it retries and its interruptions are recorded', async () => {
    const userId = newUserId();
    const asked = { limits: { maxAttempts: 2, timeoutMs: 500 }, retryOf: 1, interruptions: 2 };
    await ports.ledger.insert({ userId, seq: 2, body: '1', ...asked, acceptedAt: at(1) });
    expect(await theEntry(ports, userId, 2)).toMatchObject(asked);
  });

  test('a claim sets the interruptions and the forgiven attempts', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([{ ...claim(guard(userId)), interruptions: 3, forgiven: 2 }]);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ interruptions: 3, forgiven: 2 });
  });
});
