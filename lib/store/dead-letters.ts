/** Dead letters in the ledger, and what a person decides about them. */
import type { DeadLetterCursor, LedgerStore } from '../ports.ts';
import { settledStatuses } from '../types.ts';
import { entryId } from './changes.ts';
import type { Execute } from './connection.ts';
import { pageBatch, readUpTo } from './entries.ts';

/** The dead letters behind the cursor, by time and then by id. `$exists` lets the server use the partial index. */
const deadLettersAfter = (userId: string | undefined, after: DeadLetterCursor | undefined) => ({
  ...(userId === undefined ? {} : { userId }),
  deadLetter: { $exists: true },
  'deadLetter.at': { $gte: after?.at ?? new Date(0) },
  ...(after ? { $or: [{ 'deadLetter.at': { $gt: after.at } }, { _id: { $gt: entryId(after) } }] } : {}),
});

const inOrder = { 'deadLetter.at': 1, _id: 1 } as const;

export const deadLetterStore = (
  execute: Execute,
): Pick<LedgerStore, 'deadLetters' | 'deadLetterIds' | 'dropDeadLetter' | 'unblock' | 'skip'> => ({
  deadLetters: ({ userId, after, limit, maxChars = Number.POSITIVE_INFINITY }) =>
    execute(({ requests }) => {
      const found = requests.find(deadLettersAfter(userId, after)).sort(inOrder).limit(limit).lean();
      return readUpTo(maxChars, found.cursor({ batchSize: pageBatch }), ({ body }) => body);
    }),

  deadLetterIds: ({ userId, after, limit }) =>
    execute(async ({ requests }) => {
      const fields = { userId: 1, seq: 1, deadLetter: 1 } as const;
      const found = await requests.find(deadLettersAfter(userId, after), fields).sort(inOrder).limit(limit).lean();
      return found.flatMap(({ userId, seq, deadLetter }) => (deadLetter ? { userId, seq, at: deadLetter.at } : []));
    }),

  dropDeadLetter: (id) =>
    execute(async ({ requests }) => {
      const settled = { _id: entryId(id), status: { $in: [...settledStatuses] }, deadLetter: { $exists: true } };
      return (await requests.updateOne(settled, { $unset: { deadLetter: 1 } })).matchedCount === 1;
    }),

  unblock: ({ attempts, ...id }) =>
    execute(async ({ requests }) => {
      const queued = {
        $set: { status: 'queued' as const, forgiven: attempts },
        $unset: { deadLetter: 1, error: 1 },
      } as const;
      return (await requests.updateOne({ _id: entryId(id), status: 'blocked', attempts }, queued)).matchedCount === 1;
    }),

  skip: (id, now) =>
    execute(async ({ requests }) => {
      const failed = { $set: { status: 'failed' as const, settledAt: now } };
      return (await requests.updateOne({ _id: entryId(id), status: 'blocked' }, failed)).matchedCount === 1;
    }),
});
