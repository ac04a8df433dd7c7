/** The input of the operators' calls, validated. Unknown fields are ignored. */
import { z } from 'zod';
import type { DecisionCursor } from '../requests/decide-many.ts';
import { deadLetterReasons } from '../types.ts';
import type { Call } from './call.ts';
import { readCursor, readDecisionCursor } from './dead-letter-json.ts';
import { pageLimit, validate } from './input.ts';

const maxItems = 100;

/** A user name, a reference or a user id. `userId` is the older name of the field. */
const whom = z.string().min(1).max(256);
const user = { user: whom.optional(), userId: whom.optional() };
type Whom = { user?: string; userId?: string };
const textOf = ({ user, userId }: Whom): string | undefined => user ?? userId;
const namesOne = ({ user, userId }: Whom): boolean => (user === undefined) !== (userId === undefined);

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

export const deadLetterQuery = z.object({
  ...user,
  reason: z.enum(deadLetterReasons).optional().meta({ description: 'Only those with this reason.' }),
  after: nextOf(readCursor),
  limit: pageLimit,
});
export const stuckQuery = z.object({ limit: pageLimit });

const item = z.object({ ...user, seq: z.int().min(1) }).refine(namesOne, 'must have a user');

export const selection = z
  .object({
    ...user,
    items: z.array(item).min(1).max(maxItems).optional(),
    all: z.literal(true).optional(),
    after: nextOf(readDecisionCursor),
  })
  .refine(
    ({ items, user, userId, all }) => [items, user, userId, all].filter((one) => one !== undefined).length === 1,
    {
      message: 'must have exactly one of items, user and all',
    },
  );

/** A dead letter as an operator names it. */
export type NamedItem = { user: string; seq: number };

/** The listed dead letters, or those of one user or of all users, after the cursor. */
export type Selection =
  | { items: NamedItem[] }
  | { items?: undefined; user: string | undefined; after?: DecisionCursor };

const workerToKill = z.object({ workerId: z.string().min(1).max(64) });

export const workerIdOf = (call: Call): string => validate(workerToKill, call.json, 'body').workerId;

export const deadLetterPageOf = (call: Call) => {
  const { after, limit, reason, ...whose } = validate(deadLetterQuery, call.queryStringParameters ?? {}, 'query');
  return { user: textOf(whose), reason, after, limit };
};
export const stuckLimitOf = (call: Call): number =>
  validate(stuckQuery, call.queryStringParameters ?? {}, 'query').limit;
export const selectionOf = (call: Call): Selection => {
  const { items, after, ...whose } = validate(selection, call.json, 'body');
  return items
    ? { items: items.map(({ seq, ...one }) => ({ user: textOf(one) ?? '', seq })) }
    : { user: textOf(whose), after };
};
