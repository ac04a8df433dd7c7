import { expect, test } from '@jest/globals';
import { oldestPendingOf } from '../../lib/lanes/stalled-users.ts';
import type { EntryHead, EntryId } from '../../lib/types.ts';

/** A ledger in which the requests of every user are settled up to `settled`, and pending after it. It counts its calls. */
const ledgerWith = (settled: number) => {
  const calls = { readHeads: 0, oldestPending: 0, inFlight: 0, mostInFlight: 0 };
  const head = ({ userId, seq }: EntryId): EntryHead => ({
    userId,
    seq,
    status: seq > settled ? 'queued' : 'done',
    acceptedAt: new Date(seq),
  });
  const ledger = {
    readHeads: async (ids: EntryId[]) => {
      calls.readHeads += 1;
      return ids.map(head);
    },
    oldestPending: async (userId: string, from: number) => {
      calls.oldestPending += 1;
      calls.inFlight += 1;
      calls.mostInFlight = Math.max(calls.mostInFlight, calls.inFlight);
      await new Promise(setImmediate);
      calls.inFlight -= 1;
      return head({ userId, seq: Math.max(from, settled + 1) });
    },
  };
  return { ledger, calls };
};

const users = (count: number, accepted: number) =>
  Array.from({ length: count }, (_, index) => ({ userId: `user-${index}`, settled: 0, accepted }));

test('the oldest pending requests of many users are found with one query when they are near', async () => {
  const { ledger, calls } = ledgerWith(3);
  const found = await oldestPendingOf(users(100, 50), ledger);
  expect([...found.values()].map(({ seq }) => seq)).toEqual(Array(100).fill(4));
  expect(calls).toMatchObject({ readHeads: 1, oldestPending: 0 });
});

test('the oldest pending requests of many users are found however far they are, with a few single look-ups at a time', async () => {
  const { ledger, calls } = ledgerWith(500);
  const found = await oldestPendingOf(users(1_000, 600), ledger);
  expect(found.size).toBe(1_000);
  expect(new Set([...found.values()].map(({ seq }) => seq))).toEqual(new Set([501]));
  expect(calls.readHeads).toBeLessThanOrEqual(20);
  expect(calls.mostInFlight).toBeGreaterThan(1);
  expect(calls.mostInFlight).toBeLessThanOrEqual(8);
});
