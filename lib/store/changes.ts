/** `LedgerChange` as filters and updates, and how to tell from an entry that a change was made [R7]. */
import type { mongo } from 'mongoose';
import type { LedgerChange, Said } from '../ledger-change.ts';
import { claimableStatuses, pendingStatuses, type WorkEntry } from '../types.ts';
import { digestOf } from './digest.ts';
import type { RequestDocument } from './models.ts';

export const entryId = ({ userId, seq }: { userId: string; seq: number }): string => `${userId}:${seq}`;

/** For `$unset`: the back-off is over. */
export const endOfBackOff = { retryAt: 1, backOffMs: 1 } as const;

/** A message must say what its entry was made from. Entries of earlier versions have no digest: their claim is refused, and they are read. */
const sameAs = (change: LedgerChange & { said?: Said }) =>
  change.said ? { digest: digestOf({ ...change.said, userId: change.userId, seq: change.seq }) } : {};

/** Matches the entry while the change may be made. */
export const guardOf = (change: LedgerChange): mongo.Filter<RequestDocument> => {
  const _id = entryId(change);
  const { token, attempt } = change;
  // `$not $gt` also matches an entry without a token.
  const noLaterToken = { $not: { $gt: token } };
  switch (change.kind) {
    case 'claim':
      // A request that was never claimed is queued, and has neither a token nor the decision to end its run. The shorter filter is
      // cheaper for the driver and the server, and most claims are first claims.
      if (attempt === 1) return { _id, status: 'queued' as const, attempts: 0, ...sameAs(change) };
      return {
        _id,
        status: { $in: [...claimableStatuses] },
        attempts: attempt - 1,
        token: noLaterToken,
        endRequestedAt: { $exists: false },
        ...sameAs(change),
      };
    case 'requeue':
    case 'give-up':
      // A request in its back-off was not interrupted.
      return {
        _id,
        status: 'processing' as const,
        attempts: attempt,
        token: noLaterToken,
        retryAt: { $exists: false },
      };
    case 'end':
      return {
        _id,
        status: { $in: [...pendingStatuses] },
        attempts: attempt,
        token: noLaterToken,
        endRequestedAt: { $exists: true },
      };
    default:
      return { _id, status: 'processing' as const, attempts: attempt, token };
  }
};

/** What a claim records of its counts. What was never counted is absent, and most requests are claimed once. */
export const countsOf = ({ attempt, interruptions, forgiven }: Extract<LedgerChange, { kind: 'claim' }>) =>
  attempt === 1
    ? { ...(interruptions > 0 ? { interruptions } : {}), ...(forgiven > 0 ? { forgiven } : {}) }
    : { interruptions, forgiven };

export const updateOf = (change: LedgerChange): mongo.UpdateFilter<RequestDocument> => {
  const { at, attempt, token } = change;
  switch (change.kind) {
    case 'claim': {
      const claimed = { status: 'processing' as const, token, attempts: attempt, startedAt: at, ...countsOf(change) };
      // The first claim ends no back-off.
      return attempt === 1 ? { $set: claimed } : { $set: claimed, $unset: endOfBackOff };
    }
    case 'requeue': {
      const { interruptions, forgiven } = change;
      return { $set: { status: 'queued', token, interruptions, forgiven } };
    }
    case 'give-up': {
      const { status, error, reason, interruptions, forgiven } = change;
      const settledAt = status === 'failed' ? { settledAt: at } : {};
      const deadLetter = { reason, at };
      return { $set: { status, token, interruptions, forgiven, error, deadLetter, ...settledAt } };
    }
    case 'end': {
      const { error, interruptions, forgiven } = change;
      const ended = { status: 'failed' as const, error, deadLetter: { reason: 'ended' as const, at }, settledAt: at };
      return { $set: { ...ended, token, interruptions, forgiven }, $unset: endOfBackOff };
    }
    case 'retry': {
      const { error, retryAt, backOffMs, interruptions } = change;
      return { $set: { error, retryAt, backOffMs, interruptions } };
    }
    case 'give-back':
      return { $set: { status: 'queued', forgiven: change.forgiven } };
    case 'block': {
      const { error, reason } = change;
      return { $set: { status: 'blocked', error, deadLetter: { reason, at } } };
    }
    case 'settle': {
      if (change.status === 'done') {
        const done = { $set: { status: 'done' as const, result: change.result, settledAt: at } };
        return attempt === 1 ? done : { ...done, $unset: { error: 1 } };
      }
      const { status, error, reason } = change;
      return { $set: { status, error, settledAt: at, deadLetter: { reason, at } } };
    }
  }
};

/** A person may have unblocked, skipped or cancelled it since. Any of these shows that the block was made. */
const wasBlocked = ({ status }: WorkEntry): boolean => status !== 'processing';

/**
 * Whether the ledger already contains the change, so that a change that was sent twice, because its first answer was lost, is
 * reported as applied.
 *
 * Under one token and attempt only one owner makes changes: a claim, then one end of the attempt. So the entry's status, under
 * that token and attempt, says which of them was made, with these exceptions:
 * - A claim and a retry both leave `processing`. A retry is there when its `retryAt` is; a claim is there in both cases. A person
 *   may have decided about the request in its back-off since: it is not `processing` any more, and the retry was there.
 * - A give-back, a requeue and a person's unblock leave `queued`. The owner's own change tells them apart: a give-back follows the
 *   owner's own claim of this attempt, a requeue does without one, and an unblock needs a block before it.
 * - The end of a run and a person's skip both leave `failed`. The time of the settlement tells them apart: the dead letter may have
 *   been dropped since.
 */
export const isApplied = (change: LedgerChange, entry: WorkEntry): boolean => {
  if (entry.token !== change.token || entry.attempts !== change.attempt) return false;
  switch (change.kind) {
    case 'claim':
      return entry.status === 'processing';
    case 'retry':
      return entry.status !== 'processing' || entry.retryAt?.getTime() === change.retryAt.getTime();
    case 'give-back':
    case 'requeue':
      return entry.status === 'queued';
    case 'block':
      return wasBlocked(entry);
    case 'give-up':
      return change.status === 'blocked' ? wasBlocked(entry) : entry.status === change.status;
    case 'end':
      return entry.status === 'failed' && entry.settledAt?.getTime() === change.at.getTime();
    case 'settle':
      return entry.status === change.status;
  }
};
