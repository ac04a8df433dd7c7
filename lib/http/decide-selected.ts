import { AppError } from '../errors.ts';
import type { Decision } from '../requests/dead-letters.ts';
import { type Decided, decideAll, decideEach } from '../requests/decide-many.ts';
import { NoSuchUserError } from '../requests/errors.ts';
import { findUser } from '../requests/find-user.ts';
import { type Call, jsonReply, type Reply } from './call.ts';
import { decisionCursorText } from './dead-letter-json.ts';
import { InvalidRequestError } from './errors.ts';
import { type NamedItem, selectionOf } from './operator-input.ts';

/** An item whose user is not found, or is not the only one, is refused for itself. */
type Refused = NamedItem & { result: 'refused'; code: string; detail: string };

const findEach = async (items: NamedItem[], { deps }: Call): Promise<Map<string, string | AppError>> => {
  const texts = [...new Set(items.map(({ user }) => user))];
  const found = texts.map(async (text) => {
    const userId = await findUser(text, deps).catch((error) => {
      if (error instanceof AppError && error.status < 500) return error;
      throw error;
    });
    return [text, userId] as const;
  });
  return new Map(await Promise.all(found));
};

const decideItems = async (items: NamedItem[], decide: Decision, call: Call): Promise<(Decided | Refused)[]> => {
  const users = await findEach(items, call);
  const found = items.map(({ user, seq }): Refused | { userId: string; seq: number } => {
    const userId = users.get(user) ?? new NoSuchUserError(user);
    return userId instanceof AppError
      ? { user, seq, result: 'refused', code: userId.code, detail: userId.message }
      : { userId, seq };
  });
  const decided = await decideEach(
    found.filter((one) => 'userId' in one),
    decide,
    call.deps,
  );
  return found.map((one) => ('userId' in one ? (decided.shift() as Decided) : one));
};

/** Decides the dead letters that the call selects. The reply has a result for each listed item, or counts for the others. */
export const decideSelected = async (call: Call, decide: Decision): Promise<Reply> => {
  const selection = selectionOf(call);
  if (selection.items) return jsonReply(200, { results: await decideItems(selection.items, decide, call) });
  const { user, after } = selection;
  const userId = user === undefined ? undefined : await findUser(user, call.deps);
  if (userId !== undefined && after && after.userId !== userId)
    throw new InvalidRequestError('body.after: must be `next` from an earlier answer about the same user');
  const { next, ...counts } = await decideAll({ userId, after }, decide, call.deps);
  return jsonReply(200, { ...counts, next: next && decisionCursorText(next) });
};
