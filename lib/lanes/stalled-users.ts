/** Users that have seen no progress for long, and the first of their requests that tells whether they have waited as long. */
import type { LedgerStore, StalledUser } from '../ports.ts';
import type { LedgerEntry } from '../types.ts';

export const isPending = ({ settled, accepted }: Pick<StalledUser, 'settled' | 'accepted'>): boolean =>
  settled < accepted;

/**
 * Of each suspect with pending work the first request that is not known to be settled, where it is in the ledger. One query
 * for all: whether the ledger has settled it meanwhile is not asked.
 */
export const firstUnflushed = async (
  stalledUsers: StalledUser[],
  ledger: Pick<LedgerStore, 'read'>,
): Promise<Map<string, LedgerEntry>> => {
  const ids = stalledUsers.filter(isPending).map(({ userId, settled }) => ({ userId, seq: settled + 1 }));
  if (ids.length === 0) return new Map();
  return new Map((await ledger.read(ids)).map((entry) => [entry.userId, entry]));
};

/** Whether it was accepted a moment ago. A function's clock that is ahead must not hide anybody. */
export const isRecent = ({ acceptedAt }: Pick<LedgerEntry, 'acceptedAt'>, before: Date, now: Date): boolean =>
  acceptedAt >= before && acceptedAt <= now;
