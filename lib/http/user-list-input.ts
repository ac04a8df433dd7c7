/** What `GET /users` takes, and the cursor that leads to its next page. */
import { z } from 'zod';
import type { UserCursor } from '../ports.ts';
import type { UserQuery } from '../requests/users.ts';
import { type VerdictCode, verdictCodes } from '../requests/verdict.ts';
import type { Call } from './call.ts';
import { readParts, textOfParts } from './cursor-text.ts';
import { pageLimit, validate } from './input.ts';

const cursor = z.tuple([z.string().min(1).max(64), z.int().min(0).max(8.64e15), z.string().max(256).nullable()]);

/** Clients must not look inside. */
export const userCursorText = ({
  userId,
  updatedAt,
  user = null,
}: Omit<UserCursor, 'user'> & { user?: string | null }) => textOfParts([userId, updatedAt.getTime(), user]);

const readUserCursor = (text: string): UserCursor | undefined => {
  const parts = readParts(cursor, text);
  return parts && { userId: parts[0], updatedAt: new Date(parts[1]), user: parts[2] ?? undefined };
};

const isVerdict = (text: string): text is VerdictCode => (verdictCodes as readonly string[]).includes(text);

export const userQuery = z.object({
  show: z
    .enum(['waiting', 'all'])
    .default('waiting')
    .meta({ description: '`waiting`: who has something pending. `all`: also who is idle or away.' }),
  verdict: z
    .string()
    .max(256)
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().refine(isVerdict, `must be one of ${verdictCodes.join(', ')}`)))
    .optional()
    .meta({ type: 'string', description: 'Only users with this verdict; several with commas between them.' }),
  lane: z
    .string()
    .regex(/^\d{1,4}$/, 'must be the number of a lane')
    .transform(Number)
    .optional()
    .meta({ type: 'integer', minimum: 0, maximum: 9_999 }),
  name: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: 'Only users whose name or reference begins with this.' }),
  after: z
    .string()
    .max(1_024)
    .transform((text, context): UserCursor => {
      const found = readUserCursor(text);
      if (found) return found;
      context.addIssue({ code: 'custom', message: 'must be `next` from an earlier answer of the same call' });
      return z.NEVER;
    })
    .optional(),
  limit: pageLimit,
});

export const userQueryOf = (call: Call): UserQuery => {
  const { verdict, ...query } = validate(userQuery, call.queryStringParameters ?? {}, 'query');
  return { ...query, verdicts: verdict as VerdictCode[] | undefined };
};
