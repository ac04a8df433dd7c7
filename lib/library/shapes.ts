/** Ledger entries as callers of the library see them. A caller is a back end: it sees all of an error. */
import { type Accepted, positionOf } from '../requests/accept.ts';
import type { ListedDeadLetter } from '../requests/dead-letters.ts';
import { isSettled, type LedgerEntry } from '../types.ts';
import type { DeadLetterState, EnqueuedRequest, RequestState } from './types.ts';

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

/** The API says by which of its calls the request runs again. The library says by which of its own. */
export const enqueuedRequest = ({ retry, ...accepted }: Accepted): EnqueuedRequest =>
  retry === undefined ? accepted : { ...accepted, retryBy: retry.startsWith('POST /enqueue') ? 'enqueue' : 'retry' };

/** `settled` is the user queue's. */
export const requestState = (entry: LedgerEntry, settled: number): RequestState => {
  const { seq, status, attempts, limits, error, deadLetter, retryOf, result } = entry;
  const { acceptedAt, startedAt, retryAt, settledAt } = entry;
  return withoutUndefined({
    seq,
    status,
    // A retry has a key that we made. The caller does not know it.
    key: retryOf === undefined ? entry.key : undefined,
    position: isSettled(entry) ? undefined : positionOf(entry, settled),
    attempts,
    ...limits,
    result: result === undefined ? undefined : JSON.parse(result),
    resultText: result,
    error,
    deadLetter,
    retryOf,
    acceptedAt,
    startedAt,
    retryAt,
    settledAt,
  });
};

export const deadLetterState = (letter: ListedDeadLetter): DeadLetterState => {
  const { userId, user, deadLetter, body = 'null' } = letter;
  const { position: _, ...state } = requestState(letter, letter.seq - 1);
  return withoutUndefined({ userId, user, ...state, deadLetter, request: JSON.parse(body) });
};
