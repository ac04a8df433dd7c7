/** What a user can see: one request, and the state of the queue. */
import type { Deps } from '../deps.ts';
import type { Wait } from '../long-polls.ts';
import type { LedgerEntry, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { RequestNotFoundError } from './errors.ts';

/**
 * Returns one request, and how far its user queue is settled. With `wait`, waits until the request is settled or blocked.
 *
 * @throws {RequestNotFoundError} 404, and what `wait` throws
 */
export const lookUpRequest = async (
  queue: UserQueue,
  seq: number,
  wait: Wait | undefined,
  { ledger, userQueues }: Pick<Deps, 'ledger' | 'userQueues'>,
): Promise<{ entry: LedgerEntry; settled: number }> => {
  const id = { userId: queue.userId, seq };
  const isHalted = async () => {
    const status = await ledger.status(id);
    return !status || status === 'blocked' || isSettled({ status });
  };
  await wait?.(`request ${id.userId} ${seq}`, async () => (await isHalted()) || undefined);
  const [entry] = await ledger.read([id]);
  if (!entry) throw new RequestNotFoundError(seq);
  if (isSettled(entry)) return { entry, settled: queue.settled };
  const [current = queue] = await userQueues.get([queue.userId]);
  return { entry, settled: current.settled };
};

/** Ages are in ms. `oldestPendingAgeMs` is omitted when nothing is pending. */
export type QueueState = Pick<UserQueue, 'accepted' | 'settled' | 'state' | 'lane'> & {
  pending: number;
  oldestPendingAgeMs?: number;
};

/** Asks the ledger, which may be ahead of the last flush: a client that has just seen a result must find it counted. */
export const describeQueue = async (
  { userId, accepted, settled: flushed, state, lane }: UserQueue,
  { ledger, clock }: Pick<Deps, 'ledger' | 'clock'>,
): Promise<QueueState> => {
  const oldest = accepted > flushed ? await ledger.oldestPending(userId, flushed + 1) : undefined;
  const settled = oldest ? oldest.seq - 1 : accepted;
  const oldestPendingAgeMs = oldest && Math.max(0, clock.now().getTime() - oldest.acceptedAt.getTime());
  return { accepted, settled, pending: accepted - settled, oldestPendingAgeMs, state, lane };
};
