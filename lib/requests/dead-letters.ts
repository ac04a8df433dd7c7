/** What operators do with dead letters of all users: list them, retry them, drop them. */
import { isAhead } from '../database-clock.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import type { DeadLetterCursor } from '../ports.ts';
import type { DeadLetter, EntryId, LedgerEntry } from '../types.ts';
import type { AcceptDeps } from './accept.ts';
import { NotDeadLetterError, RequestNotFoundError } from './errors.ts';
import { retry, skip } from './retry.ts';

export type ListedDeadLetter = LedgerEntry & { deadLetter: DeadLetter; username: string | undefined };

const isDeadLetter = (entry: LedgerEntry): entry is LedgerEntry & { deadLetter: DeadLetter } =>
  entry.deadLetter !== undefined;

export const cursorOf = ({ userId, seq, deadLetter }: EntryId & { deadLetter: DeadLetter }): DeadLetterCursor => ({
  userId,
  seq,
  at: deadLetter.at,
});

/** A page, in the order in which they were dead-lettered. It ends when the bodies together exceed `maxChars` characters. */
export const listDeadLetters = async (
  query: { userId?: string; after?: DeadLetterCursor; limit: number; maxChars?: number },
  deps: Pick<Deps, 'ledger' | 'accounts'>,
): Promise<ListedDeadLetter[]> => {
  const entries = (await deps.ledger.deadLetters(query)).filter(isDeadLetter);
  const names = await deps.accounts.usernames([...new Set(entries.map(({ userId }) => userId))]);
  return entries.map((entry) => ({ ...entry, username: names.get(entry.userId) }));
};

type DecisionResult = { result: 'retried' | 'dropped'; retriedAs?: number };

/** One operator's decision about one dead letter. Throws an `AppError` where it does not apply. */
export type Decision = (id: EntryId, deps: AcceptDeps) => Promise<DecisionResult>;

export const retryDeadLetter: Decision = async (id, deps) => {
  const retried = await retry({ ...id, sessionId: undefined }, deps);
  return { result: 'retried', retriedAs: retried.kind === 'again' ? retried.accepted.seq : id.seq };
};

/** A blocked request is skipped first, so that its user can continue. A crash in between leaves a failed request to drop. */
export const dropDeadLetter: Decision = async (id, deps) => {
  const drop = () => deps.ledger.dropDeadLetter(id);
  if (await drop()) return { result: 'dropped' };
  const status = await deps.ledger.status(id);
  if (!status) throw new RequestNotFoundError(id.seq);
  if (status !== 'blocked') throw new NotDeadLetterError(id.seq);
  await skip(id, deps);
  if (!(await drop())) throw new NotDeadLetterError(id.seq);
  return { result: 'dropped' };
};

type Refusal = { result: 'refused'; code: string; detail: string };

export type Decided = EntryId & (DecisionResult | Refusal);

/** Users whose dead letters are decided about at the same time. */
const parallelUsers = 8;

/**
 * Decides about each of these dead letters: users in parallel, those of one user in the order of `seq`, because that is the
 * order in which they run again. The results are in the order of the items.
 *
 * @throws {AppError} 503 when a server fails. Rejects only after running decisions have ended, because Lambda would resume them
 * in the next invocation. Decisions made before stay made, and repeating the call is harmless.
 */
export const decideEach = async (items: EntryId[], decide: Decision, deps: AcceptDeps): Promise<Decided[]> => {
  const decided: Decided[] = [];
  const indexed = items.map(({ userId, seq }, index) => ({ id: { userId, seq }, index }));
  const inOrder = indexed.sort((one, other) => one.id.seq - other.id.seq);
  const remainingUsers = Map.groupBy(inOrder, ({ id }) => id.userId).values();
  let failure: { error: unknown } | undefined;
  const decideForUsers = async () => {
    for (const itemsOfUser of remainingUsers) {
      for (const { id, index } of itemsOfUser) {
        if (failure) return;
        try {
          decided[index] = { ...id, ...(await orRefusal(decide(id, deps))) };
        } catch (error) {
          failure ??= { error };
        }
      }
    }
  };
  await Promise.all(Array.from({ length: parallelUsers }, decideForUsers));
  if (failure) throw failure.error;
  return decided;
};

const orRefusal = async (decision: Promise<DecisionResult>): Promise<DecisionResult | Refusal> => {
  try {
    return await decision;
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { result: 'refused', code: error.code, detail: error.message };
  }
};

const batchSize = 100;
/** No new batch begins after this time: the caller continues with `next`, before its gateway times out. */
const budgetMs = 5_000;

/** `next`: dead letters after this one are left. */
export type DecidedAll = { decided: number; refused: number; next?: DeadLetterCursor };

/**
 * Decides about all dead letters of one user, or of all users. Requests dead-lettered meanwhile are left, also those that
 * this call retried. Those with a time far ahead were dead-lettered before MongoDB's clock was set back.
 *
 * @throws {AppError} 503 as `decideEach`
 */
export const decideAll = async (
  { userId, after }: { userId?: string; after?: DeadLetterCursor },
  decide: Decision,
  deps: AcceptDeps,
): Promise<DecidedAll> => {
  const startedAt = deps.clock.now();
  const startedMs = deps.clock.monotonicMs();
  const counts = { decided: 0, refused: 0 };
  let next = after;
  for (;;) {
    const listed = await deps.ledger.deadLetterIds({ userId, after: next, limit: batchSize });
    const batch = listed.filter(({ at }) => at <= startedAt || isAhead(at, deps.clock.now()));
    for (const { result } of await decideEach(batch, decide, deps)) {
      counts[result === 'refused' ? 'refused' : 'decided'] += 1;
    }
    next = listed.at(-1);
    if (!next || listed.length < batchSize) return counts;
    if (deps.clock.monotonicMs() - startedMs > budgetMs) return { ...counts, next };
  }
};
