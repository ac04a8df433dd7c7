/** Changes of the ledger, apart from a person's decisions. */

import type { ChangeResult, LedgerChange } from '../ledger-change.ts';
import type { Duplicate, LedgerStore, SeqRange } from '../ports.ts';
import { endOfBackOff, entryId, isApplied } from './changes.ts';
import type { Execute } from './connection.ts';
import { inBackOff, inRange, toDocument } from './entries.ts';
import type { UniqueIndex } from './index-guard.ts';
import { insertTogether } from './insert-together.ts';
import { joinChanges } from './join-changes.ts';
import type { RequestDocument } from './models.ts';
import { native } from './native.ts';
import { shareStatements } from './share-statements.ts';
import { isDuplicate, refusedIn } from './unavailable.ts';

type LedgerWrites = Pick<
  LedgerStore,
  'insert' | 'insertInOrder' | 'insertTombstone' | 'commit' | 'cancel' | 'cancelEach' | 'cancelQueued'
>;

const keyIndex: UniqueIndex = 'requests.userId_1_key_1';

/** Of bodies in one statement, which has to end in time. */
const maxInsertBytes = 4 * 1024 * 1024;

const insertDocument = (
  execute: Execute,
  document: RequestDocument,
  needs?: UniqueIndex,
): Promise<'inserted' | Duplicate> =>
  execute(async ({ requests }) => {
    try {
      await native(requests).insertOne(document);
      return 'inserted';
    } catch (error) {
      if (isDuplicate(error)) return error.keyPattern?.key ? 'duplicate-key' : 'duplicate-seq';
      throw error;
    }
  }, needs);

/** Inserts the documents up to the first that MongoDB refuses, and returns how many it took. */
const insertDocuments = (execute: Execute, documents: RequestDocument[]): Promise<number> =>
  execute(async ({ requests }) => {
    try {
      return (await native(requests).insertMany(documents, { ordered: true })).insertedCount;
    } catch (error) {
      const refused = refusedIn(error);
      if (refused.length > 0) return Math.min(...refused);
      throw error;
    }
  }, keyIndex);

const insertOf = (execute: Execute): LedgerStore['insert'] => {
  const insert = shareStatements<RequestDocument, 'inserted' | Duplicate>(
    {
      alone: (document) => insertDocument(execute, document, keyIndex),
      together: (documents) =>
        execute(({ requests }) => insertTogether(requests, documents, 'inserted' as const), keyIndex),
    },
    { max: maxInsertBytes, of: ({ bytes }) => bytes ?? 0 },
  );
  return (entry) => insert(toDocument(entry));
};

/** Sends the changes in one bulk, and returns how many matched. */
const sendChanges = (execute: Execute, changes: LedgerChange[]): Promise<number> =>
  execute(async ({ requests }) => {
    return (await native(requests).updateTwice(joinChanges(changes))).matchedCount;
  });

/** The answer to a bulk says how many changes matched, not which: their entries say it. */
const findResults = async (changes: LedgerChange[], read: LedgerStore['readWork']): Promise<ChangeResult[]> => {
  const ids = changes.map(({ userId, seq }) => ({ userId, seq, withBody: false }));
  const entries = new Map((await read(ids)).map((entry) => [entryId(entry), entry]));
  return changes.map((change) => {
    const entry = entries.get(entryId(change));
    return entry && isApplied(change, entry) ? { applied: true } : { applied: false, entry };
  });
};

/** What has never started, or waits for its next attempt. */
const cancellable = { $or: [{ status: 'queued' as const, attempts: 0 }, inBackOff] };

const cancellation = (now: Date) =>
  ({ $set: { status: 'cancelled' as const, settledAt: now }, $unset: endOfBackOff }) as const;

/** A user may have thousands of pending requests. */
const cancelledPerStatement = 500;

const cancelRange = (execute: Execute, userId: string, range: SeqRange, now: Date): Promise<number> =>
  execute(async ({ requests }) => {
    const cancelled = {
      $set: { status: 'cancelled' as const, settledAt: now },
      $unset: { deadLetter: 1, ...endOfBackOff },
    } as const;
    const queuedOrBlocked = { status: { $in: ['queued' as const, 'blocked' as const] } };
    const waiting = { userId, seq: inRange(range), $or: [queuedOrBlocked, inBackOff] };
    return (await requests.updateMany(waiting, cancelled)).modifiedCount;
  });

export const ledgerWrites = (execute: Execute, read: LedgerStore['readWork']): LedgerWrites => ({
  insert: insertOf(execute),

  insertInOrder: async (entries) => {
    const documents = entries.map(toDocument);
    let inserted = 0;
    while (inserted < documents.length) {
      inserted += await insertDocuments(execute, documents.slice(inserted));
      const refused = documents[inserted];
      if (!refused) break;
      // The error of a bulk does not say which index refused the document: its own does.
      const answer = await insertDocument(execute, refused, keyIndex);
      if (answer !== 'inserted') return { inserted, refused: answer };
      inserted += 1;
    }
    return { inserted };
  },

  insertTombstone: async ({ userId, seq, bytes, bytesThrough }, now) => {
    const entry = toDocument({ userId, seq, bytes, bytesThrough, acceptedAt: now });
    return (await insertDocument(execute, { ...entry, status: 'abandoned', settledAt: now })) === 'inserted';
  },

  commit: async (changes) => {
    if (changes.length === 0) return [];
    if ((await sendChanges(execute, changes)) === changes.length) return changes.map(() => ({ applied: true }));
    return findResults(changes, read);
  },

  cancel: (id, now) =>
    execute(async ({ requests }) => {
      const waiting = { _id: entryId(id), ...cancellable };
      return (await requests.updateOne(waiting, cancellation(now))).matchedCount === 1;
    }),

  cancelEach: (userId, seqs, now) =>
    execute(async ({ requests }) => {
      const waiting = { _id: { $in: seqs.map((seq) => entryId({ userId, seq })) }, ...cancellable };
      return (await requests.updateMany(waiting, cancellation(now))).modifiedCount;
    }),

  cancelQueued: async (userId, { after, upTo }, now) => {
    let count = 0;
    for (let above = after; above < upTo; above += cancelledPerStatement) {
      const range = { after: above, upTo: Math.min(upTo, above + cancelledPerStatement) };
      count += await cancelRange(execute, userId, range, now);
    }
    return count;
  },
});
