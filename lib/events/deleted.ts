import type { Cursor, EventEntry } from '../ports.ts';
import { cursorPast } from './cursor.ts';

/**
 * Somebody has pruned the ledger: nothing more will be known of the requests after the cursor. Returns the cursor behind them; `undefined` when
 * there are none.
 *
 * @param entries what a read of the requests after the cursor has found.
 * @param flushed everything up to here was settled before that read began: what it has not found was deleted, and will not come.
 */
export const pastDeleted = async (
  known: Cursor,
  entries: EventEntry[],
  flushed: number,
  firstAfter: (seq: number) => Promise<number | undefined>,
): Promise<Cursor | undefined> => {
  const next = known.settledThrough + 1;
  if (next > flushed || entries.some(({ seq }) => seq === next)) return undefined;
  const first = await firstAfter(next);
  return cursorPast(known, first === undefined ? flushed : Math.min(first - 1, flushed));
};
