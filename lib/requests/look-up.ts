/** What a user can see: one request, and the state of the queue. */
import type { Deps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import type { EntryId, LedgerEntry, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { RequestNotFoundError } from './errors.ts';

/**
 * One request, as soon as it is settled or `waitMs` are over.
 *
 * @throws {RequestNotFoundError} 404
 */
export const lookUpRequest = async (
  id: EntryId,
  waitMs: number,
  { ledger, clock }: Pick<Deps, 'ledger' | 'clock'>,
): Promise<LedgerEntry> => {
  let latest: LedgerEntry | undefined;
  await pollUntil(clock, waitMs, async () => {
    [latest] = await ledger.read([id]);
    if (!latest) throw new RequestNotFoundError(id.seq);
    return isSettled(latest) ? latest : undefined;
  });
  if (!latest) throw new RequestNotFoundError(id.seq);
  return latest;
};

/** Ages are in ms. `oldestPendingAgeMs` is there while something is pending. */
export type QueueState = Pick<UserQueue, 'accepted' | 'settled' | 'state' | 'lane'> & {
  pending: number;
  oldestPendingAgeMs?: number;
};

/** `settled` and `pending` follow the owner's flushes, which come a little after the settlements. */
export const describeQueue = async (
  { userId, accepted, settled, state, lane }: UserQueue,
  { ledger, clock }: Pick<Deps, 'ledger' | 'clock'>,
): Promise<QueueState> => {
  const pending = accepted - settled;
  const oldest = pending > 0 ? await ledger.oldestPending(userId, settled + 1) : undefined;
  const oldestPendingAgeMs = oldest && Math.max(0, clock.now().getTime() - oldest.acceptedAt.getTime());
  return { accepted, settled, pending, oldestPendingAgeMs, state, lane };
};
