/** What the operators' calls take, checked. Fields that are not known are ignored. */
import { z } from 'zod';
import type { DeadLetterCursor } from '../ports.ts';
import type { EntryId } from '../types.ts';
import type { Call } from './call.ts';
import { readCursor } from './dead-letter-json.ts';
import { check, pageLimit } from './input.ts';

const maxItems = 100;

const userId = z.string().min(1).max(64);
const after = z
  .string()
  .max(256)
  .transform((text, context): DeadLetterCursor => {
    const found = readCursor(text);
    if (found) return found;
    context.addIssue({ code: 'custom', message: 'must be the `next` of an earlier answer' });
    return z.NEVER;
  })
  .optional();

const page = z.object({ userId: userId.optional(), after, limit: pageLimit });
const stuck = z.object({ limit: pageLimit });

const selection = z
  .object({
    items: z
      .array(z.object({ userId, seq: z.int().min(1) }))
      .min(1)
      .max(maxItems)
      .optional(),
    userId: userId.optional(),
    all: z.literal(true).optional(),
    after,
  })
  .refine(({ items, userId, all }) => [items, userId, all].filter((one) => one !== undefined).length === 1, {
    message: 'must have exactly one of items, userId and all',
  });

/** These dead letters, or all of one user or of everybody, those after the cursor. */
export type Selection = { items: EntryId[] } | { items?: undefined; userId?: string; after?: DeadLetterCursor };

export const deadLetterPageOf = (call: Call) => check(page, call.queryStringParameters ?? {}, 'query');
export const stuckLimitOf = (call: Call): number => check(stuck, call.queryStringParameters ?? {}, 'query').limit;
export const selectionOf = (call: Call): Selection => {
  const { items, userId, after } = check(selection, call.json, 'body');
  return items ? { items } : { userId, after };
};
