/** What a person decides about a request that waits for its next attempt, in competition with the claim of that attempt. */
import { describe, expect, test } from '@jest/globals';
import type { ChangeResult, LedgerChange } from '../../lib/ledger-change.ts';
import {
  at,
  block,
  claim,
  describeStores,
  done,
  giveBack,
  insertQueued,
  newUserId,
  type Ports,
  retry,
  theEntry,
} from './store-contract.ts';

const guard = (userId: string, attempt = 1) => ({ userId, seq: 1, token: 7, attempt });
const isApplied = async (ports: Ports, change: LedgerChange): Promise<ChangeResult['applied'] | undefined> =>
  (await ports.ledger.commit([change]))[0]?.applied;

/** A user whose first request waits for its second attempt. */
const inBackOff = async (ports: Ports, interruptions = 0): Promise<string> => {
  const userId = newUserId();
  await insertQueued(ports, userId, 1, 2);
  await ports.ledger.commit([claim(guard(userId))]);
  await ports.ledger.commit([{ ...retry(guard(userId)), interruptions }]);
  return userId;
};

type Decide = (ports: Ports, userId: string) => Promise<boolean>;

/** Each takes the request out of its back-off. */
const decisions: Record<string, { decide: Decide; status: string }> = {
  cancel: { decide: ({ ledger }, userId) => ledger.cancel({ userId, seq: 1 }, at(30)), status: 'cancelled' },
  skip: { decide: ({ ledger }, userId) => ledger.skip({ userId, seq: 1 }, at(30)), status: 'failed' },
  endBackOff: {
    decide: ({ ledger }, userId) => ledger.endBackOff({ userId, seq: 1, attempts: 1 }),
    status: 'queued',
  },
  cancelQueued: {
    decide: async ({ ledger }, userId) => (await ledger.cancelQueued(userId, { after: 0, upTo: 1 }, at(30))) === 1,
    status: 'cancelled',
  },
};

describeStores('a request in its back-off', (ports) => {
  test('is cancelled with its attempts and its last error', async () => {
    const userId = await inBackOff(ports);
    expect(await ports.ledger.cancel({ userId, seq: 1 }, at(30))).toBe(true);
    const entry = await theEntry(ports, userId, 1);
    const kept = { attempts: 1, startedAt: at(10), error: { name: 'Error', message: 'not yet' } };
    expect(entry).toMatchObject({ status: 'cancelled', settledAt: at(30), ...kept });
    for (const gone of ['retryAt', 'deadLetter']) expect(entry).not.toHaveProperty(gone);
  });

  test('is skipped: it has failed with its last error, and is a dead letter', async () => {
    const userId = await inBackOff(ports);
    expect(await ports.ledger.skip({ userId, seq: 1 }, at(30))).toBe(true);
    const entry = await theEntry(ports, userId, 1);
    const deadLetter = { reason: 'failed', at: at(30) };
    expect(entry).toMatchObject({ status: 'failed', settledAt: at(30), attempts: 1, deadLetter });
    expect(entry.error).toEqual({ name: 'Error', message: 'not yet' });
    expect(entry).not.toHaveProperty('retryAt');
    expect(await ports.ledger.skip({ userId, seq: 1 }, at(31))).toBe(false);
    expect(await ports.ledger.dropDeadLetter({ userId, seq: 1 })).toBe(true);
  });

  test('is skipped as crashed when its last attempt ended its process', async () => {
    const userId = await inBackOff(ports, 2);
    await ports.ledger.skip({ userId, seq: 1 }, at(30));
    const kept = { status: 'failed', interruptions: 2, deadLetter: { reason: 'crashed' } };
    expect(await theEntry(ports, userId, 1)).toMatchObject(kept);
  });

  test('is queued when its back-off is ended: no time is left to compare, no attempt is forgiven, its error stays', async () => {
    const userId = await inBackOff(ports);
    expect(await ports.ledger.endBackOff({ userId, seq: 1, attempts: 1 })).toBe(true);
    const entry = await theEntry(ports, userId, 1);
    expect(entry).toMatchObject({ status: 'queued', attempts: 1, error: { message: 'not yet' } });
    for (const gone of ['retryAt', 'forgiven']) expect(entry).not.toHaveProperty(gone);
    expect(await isApplied(ports, claim(guard(userId, 2)))).toBe(true);
  });

  test('keeps a later back-off when the decision was made about an earlier one', async () => {
    const userId = await inBackOff(ports);
    await ports.ledger.commit([claim(guard(userId, 2))]);
    await ports.ledger.commit([retry(guard(userId, 2))]);
    expect(await ports.ledger.endBackOff({ userId, seq: 1, attempts: 1 })).toBe(false);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'processing', attempts: 2, retryAt: at(15) });
  });

  test('is cancelled with the waiting requests of a range, and counted', async () => {
    const userId = await inBackOff(ports);
    expect(await ports.ledger.cancelQueued(userId, { after: 0, upTo: 2 }, at(30))).toBe(2);
    const entry = await theEntry(ports, userId, 1);
    expect(entry).toMatchObject({ status: 'cancelled', attempts: 1, error: { message: 'not yet' } });
    expect(entry).not.toHaveProperty('retryAt');
  });

  describe.each(Object.entries(decisions))('and %s', (name, { decide, status }) => {
    test('leave a running attempt alone, and one that was given back', async () => {
      const userId = await inBackOff(ports);
      await ports.ledger.commit([claim(guard(userId, 2))]);
      expect(await decide(ports, userId)).toBe(false);
      expect(await ports.ledger.endBackOff({ userId, seq: 1, attempts: 2 })).toBe(false);
      expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'processing', attempts: 2 });
      await ports.ledger.commit([giveBack(guard(userId, 2))]);
      // Leaving cancels whatever waits.
      expect(await decide(ports, userId)).toBe(name === 'cancelQueued');
    });

    test('leave a request alone that is blocked, done or not there, as before', async () => {
      const userId = newUserId();
      expect(await decide(ports, userId)).toBe(false);
      await insertQueued(ports, userId, 1);
      await ports.ledger.commit([claim(guard(userId))]);
      await ports.ledger.commit([done(guard(userId))]);
      expect(await decide(ports, userId)).toBe(false);
      expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'done' });
      const blocked = newUserId();
      await insertQueued(ports, blocked, 1);
      await ports.ledger.commit([claim(guard(blocked))]);
      await ports.ledger.commit([block(guard(blocked))]);
      expect(await decide(ports, blocked)).toBe(name === 'skip' || name === 'cancelQueued');
    });

    test('compete with the claim of the next attempt: exactly one wins', async () => {
      for (let round = 0; round < 20; round += 1) {
        const userId = await inBackOff(ports);
        const [claimed, decided] = await Promise.all([
          isApplied(ports, claim(guard(userId, 2))),
          decide(ports, userId),
        ]);
        const entry = await theEntry(ports, userId, 1);
        if (name === 'endBackOff') {
          // Both want the next attempt. It starts once.
          expect([claimed, entry.status, entry.attempts]).toEqual([true, 'processing', 2]);
        } else {
          expect(claimed).toBe(!decided);
          expect(entry).toMatchObject(decided ? { status, attempts: 1 } : { status: 'processing', attempts: 2 });
        }
        expect(entry).not.toHaveProperty('retryAt');
      }
    });

    test('are not undone by a failure that is recorded twice, because its first answer was lost', async () => {
      const userId = await inBackOff(ports);
      expect(await decide(ports, userId)).toBe(true);
      const decided = await theEntry(ports, userId, 1);
      expect(await isApplied(ports, retry(guard(userId)))).toBe(true);
      expect(await theEntry(ports, userId, 1)).toEqual(decided);
    });
  });

  test('is decided about once, however many decide at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const userId = await inBackOff(ports);
      const [cancelled, skipped, ended] = await Promise.all([
        ports.ledger.cancel({ userId, seq: 1 }, at(30)),
        ports.ledger.skip({ userId, seq: 1 }, at(30)),
        ports.ledger.endBackOff({ userId, seq: 1, attempts: 1 }),
      ]);
      expect([cancelled, skipped, ended].filter(Boolean)).toHaveLength(1);
      const expected = cancelled ? 'cancelled' : skipped ? 'failed' : 'queued';
      expect((await theEntry(ports, userId, 1)).status).toBe(expected);
    }
  });
});
