import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import type { AcceptDeps } from '../requests/accept.ts';
import type { Decision } from '../requests/dead-letters.ts';
import { type Decided, decideAll, decideEach } from '../requests/decide-many.ts';
import { NoSuchUserError } from '../requests/errors.ts';
import { findUser } from '../requests/find-user.ts';
import { type Call, jsonReply, type Reply } from './call.ts';
import { decisionCursorText } from './dead-letter-json.ts';
import { InvalidRequestError } from './errors.ts';
import { type NamedItem, type Selection, selectionOf } from './operator-input.ts';

/** An item whose user is not found, or is not the only one, is refused for itself. */
type Refused = NamedItem & { result: 'refused'; code: string; detail: string };

type DecideDeps = AcceptDeps & Pick<Deps, 'accounts'>;

const findEach = async (items: NamedItem[], deps: DecideDeps): Promise<Map<string, string | AppError>> => {
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

const decideItems = async (items: NamedItem[], decide: Decision, deps: DecideDeps): Promise<(Decided | Refused)[]> => {
  const users = await findEach(items, deps);
  const found = items.map(({ user, seq }): Refused | { userId: string; seq: number } => {
    const userId = users.get(user) ?? new NoSuchUserError(user);
    return userId instanceof AppError
      ? { user, seq, result: 'refused', code: userId.code, detail: userId.message }
      : { userId, seq };
  });
  const decided = await decideEach(
    found.filter((one) => 'userId' in one),
    decide,
    deps,
  );
  return found.map((one) => ('userId' in one ? (decided.shift() as Decided) : one));
};

/**
 * Decides the selected dead letters. The answer has a result for each listed item, or counts for the others.
 *
 * @throws {NoSuchUserError} 404; {AmbiguousUserError} 409; {InvalidRequestError} 400; also what `decideAll` throws
 */
export const decideSelection = async (selection: Selection, decide: Decision, deps: DecideDeps) => {
  if (selection.items) return { results: await decideItems(selection.items, decide, deps) };
  const { user, after } = selection;
  const userId = user === undefined ? undefined : await findUser(user, deps);
  if (userId !== undefined && after && after.userId !== userId)
    throw new InvalidRequestError('body.after: must be `next` from an earlier answer about the same user');
  const { next, ...counts } = await decideAll({ userId, after }, decide, deps);
  return { ...counts, next: next && decisionCursorText(next) };
};

/** The same for a call of the API. */
export const decideSelected = async (call: Call, decide: Decision): Promise<Reply> =>
  jsonReply(200, await decideSelection(selectionOf(call), decide, call.deps));
