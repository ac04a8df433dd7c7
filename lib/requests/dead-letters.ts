/** What operators do with dead letters of all users: list them, retry them, drop them. Many at once: decide-many.ts. */
import type { Deps } from '../deps.ts';
import type { DeadLetterCursor } from '../ports.ts';
import type { DeadLetter, EntryId, LedgerEntry } from '../types.ts';
import type { AcceptDeps } from './accept.ts';
import { NotDeadLetterError, RequestNotFoundError } from './errors.ts';
import { userNames } from './find-user.ts';
import { retry, trySkip } from './retry.ts';

export type ListedDeadLetter = LedgerEntry & { deadLetter: DeadLetter; user: string | undefined };

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
  deps: Pick<Deps, 'ledger' | 'accounts' | 'userQueues'>,
): Promise<ListedDeadLetter[]> => {
  const entries = (await deps.ledger.deadLetters(query)).filter(isDeadLetter);
  const names = await userNames(
    entries.map(({ userId }) => userId),
    deps,
  );
  return entries.map((entry) => ({ ...entry, user: names.get(entry.userId) }));
};

export type DecisionResult = { result: 'retried' | 'dropped'; retriedAs?: number };

/**
 * What an operator decides about each of some dead letters. `decide` throws an `AppError` where it does not apply. `inOrder`: the
 * order of a user's requests depends on it, so that no later one is decided after an earlier one was refused.
 */
export type Decision = { decide(id: EntryId, deps: AcceptDeps): Promise<DecisionResult>; inOrder: boolean };

export const retryDeadLetter: Decision = {
  inOrder: true,
  decide: async (id, deps) => {
    const retried = await retry({ ...id, sessionId: undefined }, deps);
    return { result: 'retried', retriedAs: retried.kind === 'again' ? retried.accepted.seq : id.seq };
  },
};

/**
 * A request that is blocked or in its back-off is skipped first, so that its user can continue. A crash in between leaves a
 * failed request to drop.
 */
export const dropDeadLetter: Decision = {
  inOrder: false,
  decide: async (id, deps) => {
    const drop = () => deps.ledger.dropDeadLetter(id);
    if ((await drop()) || ((await trySkip(id, deps)) && (await drop()))) return { result: 'dropped' };
    throw (await deps.ledger.status(id)) ? new NotDeadLetterError(id.seq) : new RequestNotFoundError(id.seq);
  },
};
