/** Ledger entries as clients see them. */
import { positionOf } from '../requests/accept.ts';
import { attemptsOf } from '../requests/attempts.ts';
import type { LedgerEntry } from '../types.ts';
import { isSettled } from '../types.ts';
import { pageText } from './page-text.ts';
import { type ShownWorkers, shownAttempt } from './shown-attempt.ts';
import { type Exposure, shownError } from './shown-error.ts';

const stateOf = (entry: LedgerEntry, settled: number, exposure: Exposure) => {
  const { seq, status, attempts, limits, deadLetter, retryOf } = entry;
  const { acceptedAt, startedAt, retryAt, endRequestedAt, settledAt } = entry;
  // A retry has a key that we made. The client does not know it.
  const key = retryOf === undefined ? entry.key : undefined;
  const error = entry.error && shownError(entry.error, exposure);
  const position = isSettled(entry) ? undefined : positionOf(entry, settled);
  const state = { seq, status, key, position, attempts, ...limits, error, deadLetter, retryOf };
  const ending = isSettled(entry) ? undefined : endRequestedAt;
  return { ...state, acceptedAt, startedAt, retryAt, ending, settledAt };
};

/** `texts` are JSON already: parsing them could lose parts, such as large numbers. */
const jsonWith = (fields: object, texts: Record<string, string | undefined>): string =>
  Object.entries(texts).reduce(
    (json, [name, text]) => (text === undefined ? json : `${json.slice(0, -1)},"${name}":${text}}`),
    JSON.stringify(fields),
  );

/** `settled` is the user queue's. */
export const entryJson = (entry: LedgerEntry, settled: number, exposure: Exposure): string =>
  jsonWith(stateOf(entry, settled, exposure), { result: entry.result });

/** What only the call of one request shows. `workers`: for operators. */
export type WholeEntry = { workers: ShownWorkers | undefined; withRequest: boolean };

/** The same with its attempts and, where that is wanted, with what was asked for, as `request`, exactly as it was sent. An abandoned request has none. */
export const wholeEntryJson = (
  entry: LedgerEntry,
  settled: number,
  exposure: Exposure,
  { workers, withRequest }: WholeEntry,
): string => {
  const attemptLog = attemptsOf(entry).map((attempt) => shownAttempt(attempt, exposure, workers));
  const texts = { result: entry.result, request: withRequest ? entry.body : undefined };
  return jsonWith({ ...stateOf(entry, settled, exposure), attemptLog }, texts);
};

/** A page of entries. `next` is the `after` of the next page; `searched`: the page looked no further than this `seq`, and more follow. */
export const pageJson = (
  entries: LedgerEntry[],
  limit: number,
  settled: number,
  exposure: Exposure,
  searched?: number,
): string => {
  const texts = entries.map((entry) => entryJson(entry, settled, exposure));
  return pageText('requests', texts, limit, (last) => entries[last]?.seq, searched);
};
