/** Ledger entries as documents of the `requests` collection. */
import { maxMessageBodyBytes } from '../limits.ts';
import type { NewEntry, SeqRange } from '../ports.ts';
import type { EntryHead, LedgerEntry, WorkEntry } from '../types.ts';
import { entryId } from './changes.ts';
import { digestOf } from './digest.ts';
import type { RequestDocument } from './models.ts';

export const toEntry = ({ _id, digest: _, ...entry }: RequestDocument): LedgerEntry => entry;

/** Of what a message can bring: a larger body is always read. */
const digestFor = ({ body, ...entry }: NewEntry) =>
  body === undefined || body.length > maxMessageBodyBytes ? {} : { digest: digestOf({ ...entry, body }) };

/**
 * The entry of a request that was just accepted. The driver writes `undefined` as null, and two null keys of one user would collide: what is
 * absent must be left out.
 */
export const queuedEntry = (entry: NewEntry): LedgerEntry => {
  const { userId, seq, key, body, bytes, bytesThrough, limits, retryOf, interruptions, traceparent, acceptedAt } =
    entry;
  return {
    userId,
    seq,
    ...(key === undefined ? {} : { key }),
    ...(body === undefined ? {} : { body }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(bytesThrough === undefined ? {} : { bytesThrough }),
    ...(limits === undefined ? {} : { limits }),
    ...(retryOf === undefined ? {} : { retryOf }),
    ...(interruptions === undefined ? {} : { interruptions }),
    ...(traceparent === undefined ? {} : { traceparent }),
    status: 'queued',
    attempts: 0,
    acceptedAt,
  };
};

export const toDocument = (entry: NewEntry): RequestDocument => ({
  _id: entryId(entry),
  ...queuedEntry(entry),
  ...digestFor(entry),
});

/** Matches a request that waits for its next attempt: a claim removes `retryAt`. */
export const inBackOff = { status: 'processing' as const, retryAt: { $exists: true } };

export const inRange = ({ after, upTo }: SeqRange) => ({ $gt: after, $lte: upTo });

/** The projection of a document to an `EntryHead`. */
export const headFields = {
  _id: 0,
  userId: 1,
  seq: 1,
  status: 1,
  token: 1,
  acceptedAt: 1,
  startedAt: 1,
  retryAt: 1,
  endRequestedAt: 1,
  deadLetter: 1,
} as const satisfies Record<keyof EntryHead | '_id', 0 | 1>;

/** The projection of a document to a `WorkEntry` without its body. */
export const workFields = {
  _id: 0,
  userId: 1,
  seq: 1,
  status: 1,
  token: 1,
  attempts: 1,
  limits: 1,
  forgiven: 1,
  interruptions: 1,
  traceparent: 1,
  retryAt: 1,
  backOffMs: 1,
  endRequestedAt: 1,
  acceptedAt: 1,
  bytesThrough: 1,
  settledAt: 1,
} as const satisfies Record<Exclude<keyof WorkEntry, 'body'> | '_id', 0 | 1>;

/** Documents that a page fetches at a time: each may hold a text of 256 KiB. */
export const pageBatch = 16;

/**
 * Reads entries up to the one whose text brings the sum of all texts above `maxChars` characters, and closes the cursor: a
 * `for await` that breaks does not close a cursor of mongoose.
 */
export const readUpTo = async (
  maxChars: number,
  cursor: AsyncIterable<RequestDocument> & { close(): Promise<unknown> },
  textOf: (document: RequestDocument) => string | undefined,
): Promise<LedgerEntry[]> => {
  const entries: LedgerEntry[] = [];
  let chars = 0;
  try {
    for await (const document of cursor) {
      entries.push(toEntry(document));
      chars += textOf(document)?.length ?? 0;
      if (chars > maxChars) break;
    }
  } finally {
    // The page does not fail with it: a cursor that was never opened cannot be closed, and the server closes idle ones.
    await cursor.close().catch(() => undefined);
  }
  return entries;
};
