/** Ledger entries as clients see them. */
import { positionOf } from '../requests/accept.ts';
import type { LedgerEntry } from '../types.ts';
import { isSettled } from '../types.ts';

/** A function's answer may have 6 MB; a page ends before. */
const maxPageChars = 4 * 1_024 * 1_024;

/** As JSON text: the result is not parsed on its way, so nothing of it is lost. `settled` is the user queue's. */
export const entryJson = (entry: LedgerEntry, settled: number): string => {
  const { seq, status, key, attempts, error, acceptedAt, startedAt, settledAt, result } = entry;
  const position = isSettled(entry) ? undefined : positionOf(entry, settled);
  const shown = JSON.stringify({ seq, status, key, position, attempts, error, acceptedAt, startedAt, settledAt });
  return result === undefined ? shown : `${shown.slice(0, -1)},"result":${result}}`;
};

/** `next` is there when more may follow: the `after` of the next page. At least one entry, however large. */
export const pageJson = (entries: LedgerEntry[], limit: number, settled: number): string => {
  const texts: string[] = [];
  let chars = 0;
  for (const entry of entries) {
    const text = entryJson(entry, settled);
    chars += text.length;
    if (texts.length > 0 && chars > maxPageChars) break;
    texts.push(text);
  }
  const complete = texts.length === entries.length && entries.length < limit;
  const next = complete ? '' : `,"next":${entries[texts.length - 1]?.seq}`;
  return `{"requests":[${texts.join(',')}]${next}}`;
};
