/** Ledger entries as clients see them. */
import { positionOf } from '../requests/accept.ts';
import type { LedgerEntry } from '../types.ts';
import { isSettled } from '../types.ts';
import { attemptLogJson, type ShownWorkers } from './attempt-json.ts';
import { pageText } from './page-text.ts';
import { type Exposure, shownError } from './shown-error.ts';

/** JSON text, because parsing the result could lose parts of it, such as large numbers. `settled` is the user queue's. */
export const entryJson = (entry: LedgerEntry, settled: number, exposure: Exposure): string => {
  const { seq, status, attempts, limits, deadLetter, retryOf, result } = entry;
  const { acceptedAt, startedAt, retryAt, endRequestedAt, settledAt } = entry;
  // A retry has a key that we made. The client does not know it.
  const key = retryOf === undefined ? entry.key : undefined;
  const error = entry.error && shownError(entry.error, exposure);
  const position = isSettled(entry) ? undefined : positionOf(entry, settled);
  const state = { seq, status, key, position, attempts, ...limits, error, deadLetter, retryOf };
  const ending = isSettled(entry) ? undefined : endRequestedAt;
  const shown = JSON.stringify({ ...state, acceptedAt, startedAt, retryAt, ending, settledAt });
  return result === undefined ? shown : `${shown.slice(0, -1)},"result":${result}}`;
};

/** What only the call of one request shows. `workers`: for operators. */
export type WholeEntry = { workers: ShownWorkers | undefined; withRequest: boolean };

/** The same with its attempts and, where that is wanted, with what was asked for, as `request`, exactly as it was sent. An abandoned request has none. */
export const wholeEntryJson = (
  entry: LedgerEntry,
  settled: number,
  exposure: Exposure,
  { workers, withRequest }: WholeEntry,
): string => {
  const shown = entryJson(entry, settled, exposure);
  const request = withRequest && entry.body !== undefined ? `,"request":${entry.body}` : '';
  return `${shown.slice(0, -1)},"attemptLog":${attemptLogJson(entry, exposure, workers)}${request}}`;
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
