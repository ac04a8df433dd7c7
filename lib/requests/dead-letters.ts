/** What operators do with dead letters of all users: list them, retry them, drop them. Many at once: decide-many.ts. */
import type { Deps } from '../deps.ts';
import type { DeadLetterCursor, DeadLetterQuery } from '../ports.ts';
import type { DeadLetter, DeadLetterReason, EntryId, LedgerEntry } from '../types.ts';
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

const nameOf = ({ userId, seq }: EntryId): string => `${userId}:${seq}`;

export type DeadLetterPageQuery = DeadLetterQuery & { reason?: DeadLetterReason; maxChars?: number };

/** `searched`: a search by reason looked no further than this dead letter, and more follow. */
export type DeadLetterPage = { letters: ListedDeadLetter[]; searched?: DeadLetterCursor };

/** No index has the reason: a search looks at every dead letter that it passes, at most at so many. */
const examinedAtMost = 1_000;
/** Entries that a search reads at a time: each may hold a body of 256 KiB. */
const readAtOnce = 16;

type Found = { entries: LedgerEntry[]; searched?: DeadLetterCursor };

const findByReason = async (
  { reason, limit, maxChars = Number.POSITIVE_INFINITY, ...where }: DeadLetterPageQuery,
  { ledger }: Pick<Deps, 'ledger'>,
): Promise<Found> => {
  const examined = await ledger.deadLetterHeads({ ...where, limit: examinedAtMost });
  const matching = examined.filter(({ deadLetter }) => deadLetter.reason === reason);
  const wanted = matching.slice(0, limit);
  const entries: LedgerEntry[] = [];
  let passed = 0;
  for (let chars = 0; passed < wanted.length && chars <= maxChars; ) {
    const batch = wanted.slice(passed, passed + readAtOnce);
    passed += batch.length;
    const found = new Map((await ledger.read(batch, { withLog: false })).map((entry) => [nameOf(entry), entry]));
    const inOrder = batch.flatMap((id) => found.get(nameOf(id)) ?? []);
    entries.push(...inOrder);
    chars += inOrder.reduce((sum, { body = '' }) => sum + body.length, 0);
  }
  const mayFollow = examined.length === examinedAtMost ? examined.at(-1) : undefined;
  const last = passed < matching.length ? wanted[passed - 1] : mayFollow;
  return { entries, searched: last && cursorOf(last) };
};

/** A page, in the order in which they were dead-lettered. It ends soon after the bodies together exceed `maxChars` characters. */
export const listDeadLetters = async (
  query: DeadLetterPageQuery,
  deps: Pick<Deps, 'ledger' | 'accounts' | 'userQueues'>,
): Promise<DeadLetterPage> => {
  const isSearch = query.reason !== undefined;
  const { entries, searched }: Found = isSearch
    ? await findByReason(query, deps)
    : { entries: await deps.ledger.deadLetters(query) };
  // One may have been retried or dropped meanwhile.
  const letters = entries.filter(isDeadLetter);
  const names = await userNames(
    letters.map(({ userId }) => userId),
    deps,
  );
  return { letters: letters.map((letter) => ({ ...letter, user: names.get(letter.userId) })), searched };
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
