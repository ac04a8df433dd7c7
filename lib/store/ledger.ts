import type { DeadLetterCursor, LedgerStore, NewEntry, SeqRange } from '../ports.ts';
import {
  type ChangeResult,
  type EntryHead,
  type EntryId,
  type LedgerChange,
  type LedgerEntry,
  pendingStatuses,
  settledStatuses,
} from '../types.ts';
import { entryId, guardOf, stands, updateOf } from './changes.ts';
import type { Execute } from './connection.ts';
import { native, type RequestDocument } from './models.ts';
import { isDuplicate } from './unavailable.ts';

const toEntry = ({ _id, ...entry }: RequestDocument): LedgerEntry => entry;

// An absent key must be absent in the document: the driver would write null, and two of them would collide.
const toDocument = ({
  userId,
  seq,
  key,
  body,
  limits,
  retryOf,
  interruptions,
  acceptedAt,
}: NewEntry): RequestDocument => ({
  _id: entryId({ userId, seq }),
  userId,
  seq,
  ...(key === undefined ? {} : { key }),
  ...(body === undefined ? {} : { body }),
  ...(limits === undefined ? {} : { limits }),
  ...(retryOf === undefined ? {} : { retryOf }),
  ...(interruptions === undefined ? {} : { interruptions }),
  status: 'queued',
  attempts: 0,
  acceptedAt,
});

const within = ({ after, upTo }: SeqRange) => ({ $gt: after, $lte: upTo });

/** Those that follow the cursor, by time and then by id; always with what lets a server use the partial index. */
const deadAfter = (after: DeadLetterCursor | undefined) => ({
  deadLetter: { $exists: true },
  'deadLetter.at': { $gte: after?.at ?? new Date(0) },
  ...(after ? { $or: [{ 'deadLetter.at': { $gt: after.at } }, { _id: { $gt: entryId(after) } }] } : {}),
});

/** What is read of an entry for its head. */
const headFields = {
  _id: 0,
  userId: 1,
  seq: 1,
  status: 1,
  acceptedAt: 1,
  startedAt: 1,
  retryAt: 1,
  deadLetter: 1,
} as const satisfies Record<keyof EntryHead | '_id', 0 | 1>;

/** Entries that one query for heads asks for. */
const headsBatch = 1_000;

/** Entries that a page asks for at a time: each may hold a result of 256 KiB. */
const pageBatch = 16;

export const ledgerStore = (execute: Execute): LedgerStore => {
  const read = (ids: EntryId[]): Promise<LedgerEntry[]> =>
    execute(async ({ requests }) => (await requests.find({ _id: { $in: ids.map(entryId) } }).lean()).map(toEntry));

  /** Returns `undefined`, or the index that already holds the document's value. */
  const insertDocument = (document: RequestDocument): Promise<'seq' | 'key' | undefined> =>
    execute(async ({ requests }) => {
      try {
        await native(requests).insertOne(document);
        return undefined;
      } catch (error) {
        if (isDuplicate(error)) return error.keyPattern?.key ? 'key' : 'seq';
        throw error;
      }
    });

  const write = (changes: LedgerChange[]): Promise<number> =>
    execute(async ({ requests }) => {
      const updates = changes.map((change) => ({ updateOne: { filter: guardOf(change), update: updateOf(change) } }));
      return (await native(requests).bulkWrite(updates, { ordered: false })).matchedCount;
    });

  /** A bulk tells how many matched, not which: the entries that stand there tell it. */
  const judge = async (changes: LedgerChange[]): Promise<ChangeResult[]> => {
    const entries = new Map((await read(changes)).map((entry) => [entryId(entry), entry]));
    return changes.map((change) => {
      const entry = entries.get(entryId(change));
      return entry && stands(change, entry) ? { applied: true } : { applied: false, entry };
    });
  };

  const readHeads = async (ids: EntryId[]): Promise<EntryHead[]> => {
    const heads: EntryHead[] = [];
    for (let first = 0; first < ids.length; first += headsBatch) {
      const batch = ids.slice(first, first + headsBatch).map(entryId);
      const found = await execute(({ requests }) => requests.find({ _id: { $in: batch } }, headFields).lean());
      heads.push(...(found as EntryHead[]));
    }
    return heads;
  };

  return {
    read,
    readHeads,

    insert: async (entry) => {
      const held = await insertDocument(toDocument(entry));
      return held ? (`duplicate-${held}` as const) : 'inserted';
    },

    insertTombstone: async ({ userId, seq }, now) => {
      const tombstone = {
        ...toDocument({ userId, seq, acceptedAt: now }),
        status: 'abandoned' as const,
        settledAt: now,
      };
      return (await insertDocument(tombstone)) === undefined;
    },

    findByKey: (userId, key) =>
      execute(async ({ requests }) => {
        const found = await requests.findOne({ userId, key }).lean();
        return found ? toEntry(found) : undefined;
      }),

    commit: async (changes) => {
      if (changes.length === 0) return [];
      if ((await write(changes)) === changes.length) return changes.map(() => ({ applied: true }));
      return judge(changes);
    },

    cancel: (id, now) =>
      execute(async ({ requests }) => {
        const cancelled = { $set: { status: 'cancelled' as const, settledAt: now } };
        return (await requests.updateOne({ _id: entryId(id), status: 'queued' }, cancelled)).matchedCount === 1;
      }),

    cancelQueued: (userId, range, now) =>
      execute(async ({ requests }) => {
        const cancelled = {
          $set: { status: 'cancelled' as const, settledAt: now },
          $unset: { deadLetter: 1 },
        } as const;
        const waiting = { userId, seq: within(range), status: { $in: ['queued' as const, 'blocked' as const] } };
        return (await requests.updateMany(waiting, cancelled)).modifiedCount;
      }),

    unblock: ({ attempts, ...id }) =>
      execute(async ({ requests }) => {
        const unblocked = {
          $set: { status: 'queued' as const, forgiven: attempts },
          $unset: { deadLetter: 1, error: 1 },
        } as const;
        const { matchedCount } = await requests.updateOne({ _id: entryId(id), status: 'blocked', attempts }, unblocked);
        return matchedCount === 1;
      }),

    skip: (id, now) =>
      execute(async ({ requests }) => {
        const skipped = { $set: { status: 'failed' as const, settledAt: now } };
        return (await requests.updateOne({ _id: entryId(id), status: 'blocked' }, skipped)).matchedCount === 1;
      }),

    deadLetters: ({ userId, after, limit }) =>
      execute(async ({ requests }) => {
        const found = await requests
          .find({ ...(userId === undefined ? {} : { userId }), ...deadAfter(after) })
          .sort({ 'deadLetter.at': 1, _id: 1 })
          .limit(limit)
          .lean();
        return found.map(toEntry);
      }),

    dropDeadLetter: (id) =>
      execute(async ({ requests }) => {
        const settled = { _id: entryId(id), status: { $in: [...settledStatuses] }, deadLetter: { $exists: true } };
        return (await requests.updateOne(settled, { $unset: { deadLetter: 1 } })).matchedCount === 1;
      }),

    countSettled: (userId, range) =>
      execute(({ requests }) => {
        const settled = { userId, seq: within(range), status: { $in: [...settledStatuses] } };
        return requests.countDocuments(settled);
      }),

    status: (id) =>
      execute(async ({ requests }) => (await requests.findById(entryId(id), { status: 1 }).lean())?.status),

    page: (userId, { status, after, limit, maxChars = Number.POSITIVE_INFINITY }) =>
      execute(async ({ requests }) => {
        const filter = { userId, seq: { $gt: after }, ...(status ? { status } : {}) };
        const found = requests.find(filter, { body: 0 }).sort({ seq: 1 }).limit(limit).lean();
        const page: LedgerEntry[] = [];
        let chars = 0;
        for await (const document of found.cursor({ batchSize: pageBatch })) {
          page.push(toEntry(document));
          chars += document.result?.length ?? 0;
          if (chars > maxChars) break;
        }
        return page;
      }),

    oldestPending: (userId, from) =>
      execute(async ({ requests }) => {
        const filter = { userId, seq: { $gte: from }, status: { $in: [...pendingStatuses] } };
        const [oldest] = await requests.find(filter, headFields).sort({ seq: 1 }).limit(1).lean();
        return oldest as EntryHead | undefined;
      }),
  };
};
