/** Decisions of operators about the dead letters that a call selects. */
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import type { AcceptDeps } from '../requests/accept.ts';
import { type Decision, dropDeadLetter, retryDeadLetter } from '../requests/dead-letters.ts';
import { type Decided, decideAll, decideEach } from '../requests/decide-many.ts';
import { NoSuchUserError } from '../requests/errors.ts';
import { findUser } from '../requests/find-user.ts';
import { traceIdOf } from '../traceparent.ts';
import type { EntryId } from '../types.ts';
import { type Call, jsonReply, type Reply } from './call.ts';
import { decisionCursorText } from './dead-letter-json.ts';
import { InvalidRequestError } from './errors.ts';
import { type NamedItem, type Selection, selectionOf } from './operator-input.ts';

/** An item whose user is not found, or is not the only one, is refused for itself. */
type Refused = NamedItem & { result: 'refused'; code: string; detail: string };

/** A selection whose users were looked up. */
type Target = { items: (EntryId | Refused)[] } | ({ items?: undefined } & Parameters<typeof decideAll>[0]);

type DecideDeps = AcceptDeps & Pick<Deps, 'accounts'>;

const findEach = async (items: NamedItem[], deps: DecideDeps): Promise<(EntryId | Refused)[]> => {
  const texts = [...new Set(items.map(({ user }) => user))];
  const found = texts.map(async (text) => {
    const userId = await findUser(text, deps).catch((error) => {
      if (error instanceof AppError && error.status < 500) return error;
      throw error;
    });
    return [text, userId] as const;
  });
  const users = new Map<string, string | AppError>(await Promise.all(found));
  return items.map(({ user, seq }) => {
    const userId = users.get(user) ?? new NoSuchUserError(user);
    return userId instanceof AppError
      ? { user, seq, result: 'refused', code: userId.code, detail: userId.message }
      : { userId, seq };
  });
};

/** @throws {NoSuchUserError} 404; {AmbiguousUserError} 409; {InvalidRequestError} 400 */
const targetOf = async (selection: Selection, deps: DecideDeps): Promise<Target> => {
  if (selection.items) return { items: await findEach(selection.items, deps) };
  const { user, after } = selection;
  const userId = user === undefined ? undefined : await findUser(user, deps);
  if (userId !== undefined && after && after.userId !== userId)
    throw new InvalidRequestError('body.after: must be `next` from an earlier answer about the same user');
  return { userId, after };
};

const isFound = (item: EntryId | Refused): item is EntryId => 'userId' in item;

const decideItems = async (items: (EntryId | Refused)[], decide: Decision, deps: DecideDeps) => {
  const decided = await decideEach(items.filter(isFound), decide, deps);
  return items.map((one): Decided | Refused => (isFound(one) ? (decided.shift() as Decided) : one));
};

const decideTarget = async (target: Target, decide: Decision, deps: DecideDeps) => {
  if (target.items) return { results: await decideItems(target.items, decide, deps) };
  const { next, ...counts } = await decideAll(target, decide, deps);
  return { ...counts, next: next && decisionCursorText(next) };
};

/**
 * Decides the selected dead letters. The answer has a result for each listed item, or counts for the others.
 *
 * @throws {NoSuchUserError} 404; {AmbiguousUserError} 409; {InvalidRequestError} 400; also what `decideAll` throws
 */
export const decideSelection = async (selection: Selection, decide: Decision, deps: DecideDeps) =>
  decideTarget(await targetOf(selection, deps), decide, deps);

const decisions = { retry: retryDeadLetter, drop: dropDeadLetter };

/** A call lists at most 100 items. */
const loggedTarget = (target: Target) =>
  target.items
    ? { items: target.items.filter(isFound).map(({ userId, seq }) => `${userId}:${seq}`) }
    : { about: target.userId ?? 'all' };

const countsOf = (answer: Awaited<ReturnType<typeof decideTarget>>) => {
  if (answer.results === undefined) {
    const { decided, refused, refusedBy } = answer;
    return { decided, refused, refusedBy };
  }
  const refused = answer.results.filter(({ result }) => result === 'refused').length;
  return { decided: answer.results.length - refused, refused };
};

/** The same for a call of the API, which logs who has decided what. */
export const decideSelected = async (call: Call, action: keyof typeof decisions): Promise<Reply> => {
  const { deps, identity, apiKey, traceparent } = call;
  const target = await targetOf(selectionOf(call), deps);
  const who = { userId: identity?.userId, key: apiKey?.id, trace: traceIdOf(traceparent) };
  const line = { ...who, action, ...loggedTarget(target) };
  try {
    const answer = await decideTarget(target, decisions[action], deps);
    deps.log.info({ ...line, ...countsOf(answer) }, 'dead letters decided');
    return jsonReply(200, answer);
  } catch (error) {
    deps.log.info(line, 'a decision about dead letters failed, perhaps half-way');
    throw error;
  }
};
