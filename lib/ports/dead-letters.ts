/** Lists of dead letters, as the product asks MongoDB for them. */
import type { DeadLetter, EntryId, LedgerEntry } from '../types.ts';

/** The position of a dead letter in the list of all: when it was dead-lettered, and its id. */
export type DeadLetterCursor = { at: Date } & EntryId;

export type DeadLetterHead = EntryId & { deadLetter: DeadLetter };

export type DeadLetterQuery = { userId?: string; after?: DeadLetterCursor; limit: number };

export interface DeadLetterLists {
  /**
   * A page of the dead letters of all users or of one, without their attempts. Those dead-lettered first come first. The page ends with the
   * entry whose body brings the sum of all bodies above `maxChars` characters.
   */
  deadLetters(query: DeadLetterQuery & { maxChars?: number }): Promise<Omit<LedgerEntry, 'attemptLog'>[]>;
  /** The same page without anything but why and when each was dead-lettered. */
  deadLetterHeads(query: DeadLetterQuery): Promise<DeadLetterHead[]>;
  /** A page of the same dead letters in another order: user after user, and by `seq`. Only their ids. */
  deadLetterIds(query: { userId?: string; after?: EntryId; limit: number }): Promise<EntryId[]>;
  /** The dead letters of all users, counted up to `limit`. */
  countDeadLetters(limit: number): Promise<number>;
}
