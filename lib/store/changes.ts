/** What a `LedgerChange` asks of the ledger, as filters and updates, and how to tell that it stands there [R7]. */
import type { mongo } from 'mongoose';
import { claimableStatuses, type LedgerChange, type LedgerEntry } from '../types.ts';
import type { RequestDocument } from './models.ts';

export const entryId = ({ userId, seq }: { userId: string; seq: number }): string => `${userId}:${seq}`;

export const guardOf = (change: LedgerChange) => {
  const _id = entryId(change);
  const { token, attempt } = change;
  return change.kind === 'claim'
    ? // `$not $gt` matches an entry without a token too.
      { _id, status: { $in: [...claimableStatuses] }, attempts: attempt - 1, token: { $not: { $gt: token } } }
    : { _id, status: 'processing' as const, attempts: attempt, token };
};

export const updateOf = (change: LedgerChange): mongo.UpdateFilter<RequestDocument> => {
  const { at, attempt, token } = change;
  switch (change.kind) {
    case 'claim':
      return {
        $set: {
          status: 'processing',
          token,
          attempts: attempt,
          interruptions: change.interruptions,
          forgiven: change.forgiven,
          startedAt: at,
        },
        $unset: { retryAt: 1 },
      };
    case 'retry':
      return { $set: { error: change.error, retryAt: change.retryAt, interruptions: change.interruptions } };
    case 'release':
      return { $set: { status: 'queued', forgiven: change.forgiven } };
    case 'block': {
      const { error, reason } = change;
      return { $set: { status: 'blocked', error, deadLetter: { reason, at } } };
    }
    case 'settle':
      return change.status === 'done'
        ? { $set: { status: change.status, result: change.result, settledAt: at }, $unset: { error: 1 } }
        : {
            $set: {
              status: change.status,
              error: change.error,
              settledAt: at,
              deadLetter: { reason: change.reason, at },
            },
          };
  }
};

/**
 * Whether the change is in the ledger already. No two changes can leave the same token, attempt and status, so this holds
 * too when the change was sent twice because its first answer was lost.
 */
export const stands = (change: LedgerChange, entry: LedgerEntry): boolean => {
  if (entry.token !== change.token || entry.attempts !== change.attempt) return false;
  switch (change.kind) {
    case 'claim':
      return entry.status === 'processing';
    case 'retry':
      return entry.status === 'processing' && entry.retryAt?.getTime() === change.retryAt.getTime();
    case 'release':
      return entry.status === 'queued';
    case 'block':
      // A person may have decided about it already: whatever follows a block under this token and attempt, it was made.
      return entry.status !== 'processing';
    case 'settle':
      return entry.status === change.status;
  }
};
