/** Cancels several requests of a user that wait, each by the rules of `cancelRequest`: it is cancelled or it runs, never both. */
import type { AppError } from '../errors.ts';
import { isInBackOff, type UserQueue, type WorkEntry } from '../types.ts';
import { wakeLane } from '../wake.ts';
import type { CancelDeps } from './cancel.ts';
import { NotCancellableError, RequestNotFoundError } from './errors.ts';

export type Cancelled = { seq: number } & (
  | { result: 'cancelled' }
  | { result: 'refused'; code: string; detail: string }
);

/** `next`: those up to here are left, for another call. */
export type CancelledAll = { cancelled: number; next?: number };

/** One statement for so many, which has to end in time. */
const batchSize = 500;
/** No new batch begins after this time: the caller continues with `next`, before its gateway times out. */
const budgetMs = 5_000;

const isCancellable = (entry: WorkEntry): boolean =>
  (entry.status === 'queued' && entry.attempts === 0) || isInBackOff(entry);

const readEntries = ({ userId }: UserQueue, seqs: number[], { ledger }: CancelDeps): Promise<WorkEntry[]> =>
  ledger.readWork(seqs.map((seq) => ({ userId, seq, withBody: false })));

const cancelEach = async (queue: UserQueue, seqs: number[], deps: CancelDeps): Promise<number> => {
  if (seqs.length === 0) return 0;
  return deps.ledger.cancelEach(queue.userId, seqs, deps.clock.now());
};

/** Only of requests that exist: streams believe that there are so many. */
const tellEach = ({ lane, userId }: UserQueue, seqs: number[], { hints }: CancelDeps): void => {
  for (const seq of seqs) hints?.tell(lane, userId, seq);
};

/** The owner waits for the next attempt of a request that has run, with the user's other requests behind it. */
const wakeIfRun = async (queue: UserQueue, entries: WorkEntry[], deps: CancelDeps): Promise<void> => {
  if (entries.some(({ attempts }) => attempts > 0)) await wakeLane(queue.lane, queue.userId, deps);
};

const resultOf = (seq: number, entry: WorkEntry | undefined): Cancelled => {
  if (entry?.status === 'cancelled') return { seq, result: 'cancelled' };
  const error: AppError = entry ? new NotCancellableError(entry) : new RequestNotFoundError(seq);
  return { seq, result: 'refused', code: error.code, detail: error.message };
};

/** Cancels these requests. The results are in their order. Idempotent. */
export const cancelListed = async (queue: UserQueue, seqs: number[], deps: CancelDeps): Promise<Cancelled[]> => {
  await cancelEach(queue, seqs, deps);
  const entries = await readEntries(queue, seqs, deps);
  await wakeIfRun(queue, entries, deps);
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  const results = seqs.map((seq) => resultOf(seq, bySeq.get(seq)));
  const cancelled = results.filter(({ result }) => result === 'cancelled').map(({ seq }) => seq);
  tellEach(queue, cancelled, deps);
  return results;
};

/**
 * Cancels all requests up to `upTo` that wait, those that were accepted when the caller was let in. The last ones first, so that none of them
 * starts because those before it are gone. Idempotent, and so is each part of it: a call that failed half-way can be repeated.
 */
export const cancelAll = async (
  queue: UserQueue,
  { upTo = queue.accepted }: { upTo?: number },
  deps: CancelDeps,
): Promise<CancelledAll> => {
  const startedMs = deps.clock.monotonicMs();
  let cancelled = 0;
  for (let last = Math.min(upTo, queue.accepted); last > queue.settled; last -= batchSize) {
    if (deps.clock.monotonicMs() - startedMs > budgetMs) return { cancelled, next: last };
    const count = Math.min(batchSize, last - queue.settled);
    const seqs = Array.from({ length: count }, (_, index) => last - index);
    const entries = await readEntries(queue, seqs, deps);
    const waiting = entries.filter(isCancellable).map(({ seq }) => seq);
    cancelled += await cancelEach(queue, waiting, deps);
    tellEach(queue, waiting, deps);
    await wakeIfRun(queue, entries, deps);
  }
  return { cancelled };
};
