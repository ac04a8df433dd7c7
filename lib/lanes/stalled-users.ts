/** Users without progress for long, and those of their requests that show whether they wait for long. */
import type { LedgerStore, StalledUser } from '../ports.ts';
import type { EntryHead } from '../types.ts';

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

/** Whether it was accepted a moment ago. A function's clock that is ahead must not hide a user. */
export const isRecent = ({ acceptedAt }: Pick<EntryHead, 'acceptedAt'>, before: Date, now: Date): boolean =>
  acceptedAt >= before && acceptedAt <= now;
