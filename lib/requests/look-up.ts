/** What a user can see: one request, and the state of the queue. */
import type { Deps } from '../deps.ts';
import type { Wait } from '../long-polls.ts';
import type { EntryHead, LedgerEntry, RunError, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { RequestNotFoundError } from './errors.ts';
import { currentHeartbeats } from './heartbeats.ts';
import { type Verdict, verdictOf } from './verdict.ts';

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

/** Ages are in ms. `oldestPendingAgeMs` is omitted when nothing is pending. `error`: of the failure after which the user waits. */
export type QueueState = Pick<UserQueue, 'accepted' | 'settled' | 'state' | 'lane'> & {
  pending: number;
  oldestPendingAgeMs?: number;
  verdict: Verdict;
  error?: RunError;
};

type DescribeDeps = Pick<Deps, 'ledger' | 'workers' | 'clock'>;

/** A wait after a failure. The error is not part of a head. */
const isAfterFailure = (head: EntryHead | undefined): head is EntryHead =>
  head?.status === 'blocked' || head?.retryAt !== undefined;

/** Asks the ledger, which may be ahead of the last flush: a client that has just seen a result must find it counted. */
export const describeQueue = async (
  queue: UserQueue,
  { ledger, workers, clock }: DescribeDeps,
): Promise<QueueState & { head: EntryHead | undefined }> => {
  const { userId, accepted, settled: flushed, state, lane } = queue;
  const head = accepted > flushed ? await ledger.oldestPending(userId, flushed + 1) : undefined;
  const settled = head ? head.seq - 1 : accepted;
  const [signs, failed] = await Promise.all([
    head ? currentHeartbeats({ workers, clock }) : [],
    isAfterFailure(head) ? ledger.page(userId, { after: head.seq - 1, upTo: head.seq, limit: 1 }) : [],
  ]);
  const now = clock.now();
  return {
    accepted,
    settled,
    pending: accepted - settled,
    oldestPendingAgeMs: head && Math.max(0, now.getTime() - head.acceptedAt.getTime()),
    state,
    lane,
    verdict: verdictOf(queue, head, { signs, now }),
    error: failed[0]?.error,
    head,
  };
};
