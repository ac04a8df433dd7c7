/** Users without progress for long, and those of their requests that show whether they wait for long. */
import type { LedgerStore, StalledUser } from '../ports.ts';
import { type EntryHead, isSettled } from '../types.ts';

export const isPending = ({ settled, accepted }: Pick<StalledUser, 'settled' | 'accepted'>): boolean =>
  settled < accepted;

/**
 * For each user with pending work, the first request above `settled`, if the ledger has it. The ledger may have settled that
 * request since the last flush. One query for all users.
 */
export const firstUnflushed = async (
  users: StalledUser[],
  ledger: Pick<LedgerStore, 'readHeads'>,
): Promise<Map<string, EntryHead>> => {
  const ids = users.filter(isPending).map(({ userId, settled }) => ({ userId, seq: settled + 1 }));
  if (ids.length === 0) return new Map();
  return new Map((await ledger.readHeads(ids)).map((head) => [head.userId, head]));
};

/** Entries that one query of a search asks for, over all its users. */
const headsPerQuery = 1_000;
/** A search ends after this many queries. An owner flushes every second or so, so that almost every search ends with the first. */
const maxQueries = 20;

/**
 * The oldest pending request of each user, if the ledger has it, in a few queries for all of them. Reads forward from
 * `settled`, all users side by side: the requests settled since the last flush are few, and a query for each user would not be.
 */
export const oldestPendingOf = async (
  users: Pick<StalledUser, 'userId' | 'settled' | 'accepted'>[],
  ledger: Pick<LedgerStore, 'readHeads'>,
): Promise<Map<string, EntryHead>> => {
  const oldest = new Map<string, EntryHead>();
  let open = users.filter(isPending).map(({ userId, settled, accepted }) => ({ userId, next: settled + 1, accepted }));
  for (let queries = 0; open.length > 0 && queries < maxQueries; queries += 1) {
    const width = Math.max(1, Math.floor(headsPerQuery / open.length));
    const ids = open.flatMap(({ userId, next, accepted }) =>
      Array.from({ length: Math.min(width, accepted - next + 1) }, (_, index) => ({ userId, seq: next + index })),
    );
    for (const head of await ledger.readHeads(ids)) {
      const earlier = oldest.get(head.userId);
      if (!isSettled(head) && (!earlier || head.seq < earlier.seq)) oldest.set(head.userId, head);
    }
    open = open
      .map((search) => ({ ...search, next: search.next + width }))
      .filter(({ userId, next, accepted }) => !oldest.has(userId) && next <= accepted);
  }
  return oldest;
};

/** Whether it was accepted a moment ago. A function's clock that is ahead must not hide a user. */
export const isRecent = ({ acceptedAt }: Pick<EntryHead, 'acceptedAt'>, before: Date, now: Date): boolean =>
  acceptedAt >= before && acceptedAt <= now;
