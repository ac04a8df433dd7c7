/** The input of the operators' calls, validated. Unknown fields are ignored. */
import { z } from 'zod';
import type { DecisionCursor } from '../requests/decide-many.ts';
import type { EntryId } from '../types.ts';
import type { Call } from './call.ts';
import { readCursor, readDecisionCursor } from './dead-letter-json.ts';
import { pageLimit, seqOf, validate } from './input.ts';

const maxItems = 100;

const userId = z.string().min(1).max(64);
/** The `next` of an earlier answer of the same call. */
const nextOf = <Cursor>(read: (text: string) => Cursor | undefined) =>
  z
    .string()
    .max(256)
    .transform((text, context): Cursor => {
      const found = read(text);
      if (found) return found;
      context.addIssue({ code: 'custom', message: 'must be `next` from an earlier answer of the same call' });
      return z.NEVER;
    })
    .optional();

const page = z.object({ userId: userId.optional(), after: nextOf(readCursor), limit: pageLimit });
const stuck = z.object({ limit: pageLimit });
const user = z.object({ userId });

const selection = z
  .object({
    items: z
      .array(z.object({ userId, seq: z.int().min(1) }))
      .min(1)
      .max(maxItems)
      .optional(),
    userId: userId.optional(),
    all: z.literal(true).optional(),
    after: nextOf(readDecisionCursor),
  })
  .refine(({ items, userId, all }) => [items, userId, all].filter((one) => one !== undefined).length === 1, {
    message: 'must have exactly one of items, userId and all',
  })
  .refine(({ userId, after }) => userId === undefined || after === undefined || after.userId === userId, {
    path: ['after'],
    message: 'must be `next` from an earlier answer about the same userId',
  });

/** The listed dead letters, or those of one user or of all users, after the cursor. */
export type Selection = { items: EntryId[] } | { items?: undefined; userId?: string; after?: DecisionCursor };

export const deadLetterPageOf = (call: Call) => validate(page, call.queryStringParameters ?? {}, 'query');
/** The request of any user that the path names. */
export const requestOf = (call: Call): EntryId => ({
  userId: validate(user, call.pathParameters, 'path').userId,
  seq: seqOf(call),
});
export const stuckLimitOf = (call: Call): number => validate(stuck, call.queryStringParameters ?? {}, 'query').limit;
export const selectionOf = (call: Call): Selection => {
  const { items, userId, after } = validate(selection, call.json, 'body');
  return items ? { items } : { userId, after };
};
