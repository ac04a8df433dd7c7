/** The input of `GET /events`. */
import { z } from 'zod';
import { maxCursorChars, readCursor } from '../events/cursor.ts';
import type { Cursor } from '../ports.ts';
import type { Call } from './call.ts';
import { seqPath, validate, waitQuery } from './input.ts';

const cursorProblem = 'must be the id of an event, or the number of a request';

const cursor = z
  .string()
  .max(maxCursorChars, cursorProblem)
  .transform((text, context): Cursor => {
    const found = readCursor(text);
    if (found) return found;
    context.addIssue({ code: 'custom', message: cursorProblem });
    return z.NEVER;
  })
  .meta({ type: 'string', maxLength: maxCursorChars });

export const eventsQuery = waitQuery.extend({
  after: cursor.optional().meta({
    description:
      'What the client knows: the id of the last event, or the number of a request up to which all are settled; 0 tells everything again.',
  }),
  seq: seqPath.shape.seq
    .optional()
    .meta({ ...{ type: 'integer', minimum: 1, maximum: 999_999_999_999_999 }, description: 'Only this request.' }),
  token: z
    .string()
    .max(4_096)
    .optional()
    .meta({ description: 'A token of `POST /stream-token`, for an `EventSource`.' }),
});

export const eventsHeaders = z.object({
  'Last-Event-ID': cursor
    .optional()
    .meta({ description: 'As `after`, which it replaces. An `EventSource` sends it by itself.' }),
});

export type EventsInput = { cursor: Cursor | undefined; seq: number | undefined; waitMs: number };

/** @throws {InvalidRequestError} 400 */
export const eventsInputOf = (call: Call): EventsInput => {
  const { after, seq, wait } = validate(eventsQuery, call.queryStringParameters ?? {}, 'query');
  const headers = { 'Last-Event-ID': call.headers['last-event-id'] || undefined };
  const last = validate(eventsHeaders, headers, 'headers')['Last-Event-ID'];
  return { cursor: last ?? after, seq: seq === undefined ? undefined : Number(seq), waitMs: wait * 1_000 };
};
