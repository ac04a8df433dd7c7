/** What operators do about requests that were put aside, of whatever user: list them, run them again, drop them. */
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import type { DeadLetterCursor } from '../ports.ts';
import type { DeadLetter, EntryId, LedgerEntry } from '../types.ts';
import type { AcceptDeps } from './accept.ts';
import { NotDeadLetterError, RequestNotFoundError } from './errors.ts';
import { retryRequest, skipRequest } from './retry.ts';

export type ListedDeadLetter = LedgerEntry & { deadLetter: DeadLetter; username: string | undefined };

const isDeadLetter = (entry: LedgerEntry): entry is LedgerEntry & { deadLetter: DeadLetter } =>
  entry.deadLetter !== undefined;

export const cursorOf = ({ userId, seq, deadLetter }: EntryId & { deadLetter: DeadLetter }): DeadLetterCursor => ({
  userId,
  seq,
  at: deadLetter.at,
});

/** A page, the longest put aside first. */
export const listDeadLetters = async (
  query: { userId?: string; after?: DeadLetterCursor; limit: number },
  deps: Pick<Deps, 'ledger' | 'accounts'>,
): Promise<ListedDeadLetter[]> => {
  const entries = (await deps.ledger.deadLetters(query)).filter(isDeadLetter);
  const names = await deps.accounts.usernames([...new Set(entries.map(({ userId }) => userId))]);
  return entries.map((entry) => ({ ...entry, username: names.get(entry.userId) }));
};

/** One operator's decision about one dead letter. Throws an `AppError` where it does not apply. */
export type Decision = (
  id: EntryId,
  deps: AcceptDeps,
) => Promise<{ result: 'retried' | 'dropped'; retriedAs?: number }>;

export const retryDeadLetter: Decision = async (id, deps) => {
  const retried = await retryRequest({ ...id, sessionId: undefined }, deps);
  return retried.kind === 'again'
    ? { result: 'retried', retriedAs: retried.accepted.seq }
    : { result: 'retried', retriedAs: id.seq };
};

/** A blocked request is skipped first, so that its user goes on; dying in between leaves a failed one to drop. */
export const dropDeadLetter: Decision = async (id, deps) => {
  const [entry] = await deps.ledger.read([id]);
  if (!entry) throw new RequestNotFoundError(id.seq);
  if (entry.status === 'blocked') await skipRequest(id, deps);
  if (!(await deps.ledger.dropDeadLetter(id))) throw new NotDeadLetterError(id.seq);
  return { result: 'dropped' };
};

export type Decided = EntryId &
  ({ result: 'retried' | 'dropped'; retriedAs?: number } | { result: 'refused'; code: string; detail: string });

/** Users that are worked on at once. */
const parallelUsers = 8;

/**
 * Decides about each of these, users side by side, one user's in the order of `seq`: that is the order in which they run
 * again. The results stand where their items stood.
 *
 * @throws {AppError} 503 when a server fails; what was decided before stays, and repeating it is harmless.
 */
export const decideEach = async (items: EntryId[], decide: Decision, deps: AcceptDeps): Promise<Decided[]> => {
  const decided: Decided[] = [];
  const places = items.map(({ userId, seq }, index) => ({ userId, seq, index })).sort((a, b) => a.seq - b.seq);
  const users = Map.groupBy(places, ({ userId }) => userId).values();
  const work = async () => {
    for (const places of users) {
      for (const { index, ...id } of places) decided[index] = { ...id, ...(await orRefusal(decide(id, deps))) };
    }
  };
  await Promise.all(Array.from({ length: parallelUsers }, work));
  return decided;
};

const orRefusal = async <T>(decision: Promise<T>): Promise<T | { result: 'refused'; code: string; detail: string }> => {
  try {
    return await decision;
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { result: 'refused', code: error.code, detail: error.message };
  }
};

const batchSize = 100;
/** No new batch begins after this long: the caller goes on with `next`, before its gateway gives up. */
const budgetMs = 5_000;

/** `next`: some are left, which follow it. */
export type DecidedAll = { decided: number; refused: number; next?: DeadLetterCursor };

/** The same about all dead letters of one user, or of all. What is put aside meanwhile, a retried one again too, is left. */
export const decideAll = async (
  { userId, after }: { userId?: string; after?: DeadLetterCursor },
  decide: Decision,
  deps: AcceptDeps,
): Promise<DecidedAll> => {
  const startedAt = deps.clock.now().getTime();
  const counts = { decided: 0, refused: 0 };
  let next = after;
  for (;;) {
    const listed = (await deps.ledger.deadLetters({ userId, after: next, limit: batchSize })).filter(isDeadLetter);
    const batch = listed.filter(({ deadLetter }) => deadLetter.at.getTime() <= startedAt);
    for (const { result } of await decideEach(batch, decide, deps)) {
      counts[result === 'refused' ? 'refused' : 'decided'] += 1;
    }
    const last = batch.at(-1);
    if (!last || batch.length < batchSize) return counts;
    next = cursorOf(last);
    if (deps.clock.now().getTime() - startedAt > budgetMs) return { ...counts, next };
  }
};
