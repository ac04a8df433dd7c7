/** Users without progress for long, and those of their requests that show whether they wait for long. */
import { clockToleranceMs } from '../database-clock.ts';
import type { LedgerStore, StalledUser, TimeSpan } from '../ports.ts';
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

/** `unknown`: the request after `settled` is not in the ledger. `none`: all that the ledger has is settled, and not flushed yet. */
export type FirstPending = EntryHead | 'unknown' | 'none';

/**
 * For each user with pending work, the first request that is not settled. The request after `settled` may be: its owner flushes late,
 * and later still where MongoDB is slow.
 */
export const firstPending = async (
  users: StalledUser[],
  ledger: Pick<LedgerStore, 'readHeads' | 'oldestPending'>,
): Promise<Map<string, FirstPending>> => {
  const pending = users.filter(isPending);
  const unflushed = await firstUnflushed(pending, ledger);
  const isFlushLate = ({ userId }: StalledUser) => {
    const first = unflushed.get(userId);
    return first !== undefined && isSettled(first);
  };
  const late = pending.filter(isFlushLate);
  const later = await oldestPendingOf(
    late.map((user) => ({ ...user, settled: user.settled + 1 })),
    ledger,
  );
  return new Map([
    ...pending.map(({ userId }) => [userId, unflushed.get(userId) ?? 'unknown'] as const),
    ...late.map(({ userId }) => [userId, later.get(userId) ?? 'none'] as const),
  ]);
};

/** Entries that one query of a search asks for, over all its users. */
const headsPerQuery = 1_000;
/** After this many queries each user left is looked up alone. An owner flushes every second or so: most searches end at once. */
const maxQueries = 20;
const lookUpsAtATime = 8;

type Search = { userId: string; next: number; accepted: number };

/** Reads forward from `next`, all users side by side. Returns the searches that have found nothing yet. */
const readForward = async (
  searches: Search[],
  ledger: Pick<LedgerStore, 'readHeads'>,
  oldest: Map<string, EntryHead>,
): Promise<Search[]> => {
  const width = Math.max(1, Math.floor(headsPerQuery / searches.length));
  const ids = searches.flatMap(({ userId, next, accepted }) =>
    Array.from({ length: Math.min(width, accepted - next + 1) }, (_, index) => ({ userId, seq: next + index })),
  );
  for (const head of await ledger.readHeads(ids)) {
    const earlier = oldest.get(head.userId);
    if (!isSettled(head) && (!earlier || head.seq < earlier.seq)) oldest.set(head.userId, head);
  }
  return searches
    .map((search) => ({ ...search, next: search.next + width }))
    .filter(({ userId, next, accepted }) => !oldest.has(userId) && next <= accepted);
};

/**
 * The oldest pending request of each user, if the ledger has it. The requests settled since the last flush are few, so that
 * almost always a few queries for all users find it, and single look-ups are not needed.
 */
export const oldestPendingOf = async (
  users: Pick<StalledUser, 'userId' | 'settled' | 'accepted'>[],
  ledger: Pick<LedgerStore, 'readHeads' | 'oldestPending'>,
): Promise<Map<string, EntryHead>> => {
  const oldest = new Map<string, EntryHead>();
  let open: Search[] = users
    .filter(isPending)
    .map(({ userId, settled, accepted }) => ({ userId, next: settled + 1, accepted }));
  for (let queries = 0; open.length > 0 && queries < maxQueries; queries += 1) {
    open = await readForward(open, ledger, oldest);
  }
  for (let first = 0; first < open.length; first += lookUpsAtATime) {
    const heads = await Promise.all(
      open.slice(first, first + lookUpsAtATime).map(({ userId, next }) => ledger.oldestPending(userId, next)),
    );
    for (const head of heads) if (head) oldest.set(head.userId, head);
  }
  return oldest;
};

/**
 * The last `ms`. It ends a little later than now: a time that another process wrote a moment ago may be ahead by as much as their
 * clocks may differ. A time behind that says nothing: MongoDB's clock was set back since, and it must not hide a user.
 */
export const lastTimes = (now: Date, ms: number): TimeSpan => ({
  from: new Date(now.getTime() - ms),
  to: new Date(now.getTime() + clockToleranceMs),
});

/** Whether the request was accepted or started in this time span. */
export const hasMovedIn = (span: TimeSpan, { acceptedAt, startedAt = acceptedAt }: EntryHead): boolean =>
  [acceptedAt, startedAt].some((time) => time >= span.from && time <= span.to);

/** Whether it was accepted in this time span. */
export const wasAcceptedIn = ({ from, to }: TimeSpan, { acceptedAt }: Pick<EntryHead, 'acceptedAt'>): boolean =>
  acceptedAt >= from && acceptedAt <= to;
