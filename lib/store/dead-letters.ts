/** Dead letters in the ledger, and what a person decides about them and about requests in their back-off. */
import type { QueryFilter } from 'mongoose';
import type { DeadLetterCursor, DeadLetterHead, DeadLetterLists, LedgerStore } from '../ports.ts';
import { type DeadLetterReason, type EntryId, settledStatuses } from '../types.ts';
import { endOfBackOff, entryId } from './changes.ts';
import type { Execute } from './connection.ts';
import { inBackOff, pageBatch, readUpTo } from './entries.ts';
import type { RequestDocument } from './models.ts';
import { native } from './native.ts';

/** The dead letters behind the cursor, by time and then by id. `$exists` lets the server use the partial index. */
const deadLettersAfter = (userId: string | undefined, after: DeadLetterCursor | undefined) => ({
  ...(userId === undefined ? {} : { userId }),
  deadLetter: { $exists: true },
  'deadLetter.at': { $gte: after?.at ?? new Date(0) },
  ...(after ? { $or: [{ 'deadLetter.at': { $gt: after.at } }, { _id: { $gt: entryId(after) } }] } : {}),
});

const inOrder = { 'deadLetter.at': 1, _id: 1 } as const;

/**
 * What may be skipped, and what each becomes besides `failed`. They exclude each other, and one that was skipped matches none. A
 * request in its back-off becomes a dead letter; as `crashed` if its last attempt was a crash, so that its retry runs isolated.
 */
const skips = (at: Date) => {
  const deadLetter = (reason: DeadLetterReason) => ({ deadLetter: { reason, at } });
  return [
    { from: { status: 'blocked' as const }, set: {} },
    { from: { ...inBackOff, interruptions: { $gt: 0 } }, set: deadLetter('crashed') },
    { from: { ...inBackOff, interruptions: { $not: { $gt: 0 } } }, set: deadLetter('failed') },
  ];
};

const deadLetterLists = (execute: Execute): DeadLetterLists => ({
  deadLetters: ({ userId, after, limit, maxChars = Number.POSITIVE_INFINITY }) =>
    execute(({ requests }) => {
      const found = requests.find(deadLettersAfter(userId, after), { attemptLog: 0 }).sort(inOrder).limit(limit).lean();
      return readUpTo(maxChars, found.cursor({ batchSize: pageBatch }), ({ body }) => body);
    }),

  deadLetterHeads: ({ userId, after, limit }) =>
    execute(({ requests }) =>
      requests
        .find(deadLettersAfter(userId, after), { _id: 0, userId: 1, seq: 1, deadLetter: 1 })
        .sort(inOrder)
        .limit(limit)
        .lean<DeadLetterHead[]>(),
    ),

  countDeadLetters: (limit) =>
    execute(({ requests }) => requests.countDocuments(deadLettersAfter(undefined, undefined)).limit(limit)),

  // In two queries, because each is one range of the index: the rest of the user, and the users behind it.
  deadLetterIds: ({ userId, after, limit }) =>
    execute(async ({ requests }) => {
      const find = (range: QueryFilter<RequestDocument>, max: number): Promise<EntryId[]> =>
        requests
          .find({ ...range, deadLetter: { $exists: true } }, { _id: 0, userId: 1, seq: 1 })
          .sort({ userId: 1, seq: 1 })
          .limit(max)
          .lean<EntryId[]>();
      const user = userId ?? after?.userId;
      const rest = user === undefined ? [] : await find({ userId: user, seq: { $gt: after?.seq ?? 0 } }, limit);
      if (userId !== undefined || rest.length === limit) return rest;
      return [...rest, ...(await find({ userId: { $gt: after?.userId ?? '' } }, limit - rest.length))];
    }),
});

export const deadLetterStore = (
  execute: Execute,
): DeadLetterLists & Pick<LedgerStore, 'dropDeadLetter' | 'unblock' | 'endBackOff' | 'skip' | 'requestEnd'> => ({
  ...deadLetterLists(execute),

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

  endBackOff: ({ attempts, ...id }) =>
    execute(async ({ requests }) => {
      const queued = { $set: { status: 'queued' as const }, $unset: endOfBackOff } as const;
      return (await requests.updateOne({ _id: entryId(id), ...inBackOff, attempts }, queued)).matchedCount === 1;
    }),

  skip: (id, now) =>
    execute(async ({ requests }) => {
      const updates = skips(now).map(({ from, set }) => ({
        updateOne: {
          filter: { _id: entryId(id), ...from },
          update: { $set: { ...set, status: 'failed' as const, settledAt: now }, $unset: endOfBackOff },
        },
      }));
      return (await native(requests).bulkWrite(updates)).matchedCount === 1;
    }),

  requestEnd: (id, now) =>
    execute(async ({ requests }) => {
      const absent = { $exists: false } as const;
      const running = { _id: entryId(id), status: 'processing' as const, retryAt: absent, endRequestedAt: absent };
      return (await requests.updateOne(running, { $set: { endRequestedAt: now } })).matchedCount === 1;
    }),
});
