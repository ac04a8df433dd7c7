/** Queries of the ledger. */
import type { LedgerStore, SettledSum } from '../ports.ts';
import { type EntryHead, pendingStatuses, settledStatuses, type WorkEntry } from '../types.ts';
import { entryId } from './changes.ts';
import type { Execute } from './connection.ts';
import { headFields, inRange, pageBatch, readUpTo, toEntry, workFields } from './entries.ts';
import type { RequestDocument } from './models.ts';
import { native } from './native.ts';
import { shareStatements } from './share-statements.ts';

/** Heads that one query reads. */
const headsBatch = 1_000;

type LedgerReads = Pick<
  LedgerStore,
  'read' | 'readWork' | 'readHeads' | 'findByKey' | 'sumSettled' | 'status' | 'page' | 'oldestPending'
>;

/** The text of a key may hold any character, a user id no space. */
const nameOf = ({ userId, key }: { userId: string; key?: string }): string => `${userId} ${key}`;

const findByKeyOf = (execute: Execute): LedgerStore['findByKey'] => {
  type Key = { userId: string; key: string };
  const find = (filter: object) => execute(({ requests }) => native(requests).find(filter));
  const findTogether = async (keys: Key[]) => {
    // Not one `$in` for the users and one for the keys: that is every pair of them.
    const found = new Map((await find({ $or: keys })).map((one) => [nameOf(one), one]));
    return keys.map((key) => ({ answer: found.get(nameOf(key)) }));
  };
  const findKey = shareStatements<Key, RequestDocument | undefined>({
    alone: async (key) => (await find(key))[0],
    together: findTogether,
  });
  return async (userId, key) => {
    const found = await findKey({ userId, key });
    return found && toEntry(found);
  };
};

export const ledgerReads = (execute: Execute): LedgerReads => ({
  read: (ids, { withLog } = { withLog: true }) =>
    execute(async ({ requests }) => {
      const options = withLog ? {} : { projection: { attemptLog: 0 } };
      return (await native(requests).find({ _id: { $in: ids.map(entryId) } }, options)).map(toEntry);
    }),

  readWork: async (ids) => {
    const { whole = [], rest = [] } = Object.groupBy(ids, ({ withBody }) => (withBody ? 'whole' : 'rest'));
    const read = (some: typeof ids, fields: object) =>
      some.length === 0
        ? []
        : execute(({ requests }) => native(requests).find({ _id: { $in: some.map(entryId) } }, { projection: fields }));
    const found = await Promise.all([read(whole, { ...workFields, body: 1 }), read(rest, workFields)]);
    return found.flat() as WorkEntry[];
  },

  readHeads: async (ids) => {
    const heads: EntryHead[] = [];
    for (let first = 0; first < ids.length; first += headsBatch) {
      const batch = ids.slice(first, first + headsBatch).map(entryId);
      const found = await execute(({ requests }) => requests.find({ _id: { $in: batch } }, headFields).lean());
      heads.push(...(found as EntryHead[]));
    }
    return heads;
  },

  findByKey: findByKeyOf(execute),

  sumSettled: (userId, { after, upTo }) =>
    execute(
      async ({ requests }) => {
        const above = (value: unknown, otherwise: unknown) => ({ $cond: [{ $gt: ['$seq', after] }, value, otherwise] });
        const [sum] = await requests.aggregate<SettledSum & { bytesBefore: number }>([
          { $match: { userId, seq: { $gte: after, $lte: upTo }, status: { $in: [...settledStatuses] } } },
          {
            $group: {
              _id: null,
              requests: { $sum: above(1, 0) },
              bytes: { $sum: above('$bytes', 0) },
              bytesBefore: { $sum: above(0, '$bytesThrough') },
            },
          },
        ]);
        return { requests: sum?.requests ?? 0, bytes: sum?.bytes ?? 0, bytesBefore: sum?.bytesBefore ?? 0 };
      },
      undefined,
      { mayBeSlow: true },
    ),

  status: (id) => execute(async ({ requests }) => (await requests.findById(entryId(id), { status: 1 }).lean())?.status),

  page: (userId, { status, after, upTo = Number.MAX_SAFE_INTEGER, limit, maxChars = Number.POSITIVE_INFINITY }) =>
    execute(({ requests }) => {
      const filter = { userId, seq: inRange({ after, upTo }), ...(status ? { status } : {}) };
      const found = requests.find(filter, { body: 0, attemptLog: 0 }).sort({ seq: 1 }).limit(limit).lean();
      return readUpTo(maxChars, found.cursor({ batchSize: pageBatch }), ({ result }) => result);
    }),

  oldestPending: (userId, from) =>
    execute(async ({ requests }) => {
      const filter = { userId, seq: { $gte: from }, status: { $in: [...pendingStatuses] } };
      const [oldest] = await requests.find(filter, headFields).sort({ seq: 1 }).limit(1).lean();
      return oldest as EntryHead | undefined;
    }),
});
