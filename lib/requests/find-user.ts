/** Whom an operator means by a text: a user name, a reference or a user id. */
import type { Deps } from '../deps.ts';
import { InvalidReferenceError, userIdOf } from '../references.ts';
import { AmbiguousUserError, NoSuchUserError } from './errors.ts';

type FindDeps = Pick<Deps, 'accounts' | 'userQueues'>;

type Kind = 'name' | 'reference' | 'id';

/** `id:6b0a4249c864da9b4ba6bea4` is that id, and nothing else. Without such a prefix a text may be any of the three. */
const exact = /^(name|reference|id):(.+)$/s;

/** No user has a reference that is invalid. */
const idOfReference = (text: string): string | undefined => {
  try {
    return userIdOf(text);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
};

/** A text may mean several users: one has it as a name, another as a reference. */
const candidates = async (text: string, kinds: Kind[], { accounts, userQueues }: FindDeps) => {
  const reference = kinds.includes('reference') ? idOfReference(text) : undefined;
  const [account, owner, queues] = await Promise.all([
    kinds.includes('name') ? accounts.findByUsername(text) : undefined,
    kinds.includes('id') ? accounts.find(text) : undefined,
    userQueues.get([...(kinds.includes('id') ? [text] : []), ...(reference === undefined ? [] : [reference])]),
  ]);
  const exists = (userId: string) => queues.some((queue) => queue.userId === userId);
  return {
    name: account?.userId,
    reference: reference !== undefined && exists(reference) ? reference : undefined,
    // An account whose registration was cut off has no user queue yet. The store finds the id of an account in capitals too.
    id: owner?.userId ?? (kinds.includes('id') && exists(text) ? text : undefined),
  };
};

/**
 * The id of the user that an operator means.
 *
 * @throws {NoSuchUserError} 404; {AmbiguousUserError} 409: the error says how to name each of them exactly
 */
export const findUser = async (text: string, deps: FindDeps): Promise<string> => {
  const [, kind, rest] = exact.exec(text) ?? [];
  const found =
    kind === undefined || rest === undefined
      ? await candidates(text, ['name', 'reference', 'id'], deps)
      : await candidates(rest, [kind as Kind], deps);
  // A back end may have given its user a reference with such a prefix.
  const whole = kind === undefined || kind === 'reference' ? undefined : await candidates(text, ['reference'], deps);
  found.reference ??= whole?.reference;
  const matches = (['name', 'reference', 'id'] as const).flatMap((is) => {
    const userId = found[is];
    return userId === undefined ? [] : [{ is, userId }];
  });
  const [first] = matches;
  if (!first) throw new NoSuchUserError(text);
  if (matches.some(({ userId }) => userId !== first.userId)) throw new AmbiguousUserError(text, matches);
  return first.userId;
};

/** Who each user is to the outside: the reference, or the account's user name. Users that are neither are left out. */
export const userNames = async (
  userIds: string[],
  { accounts, userQueues }: FindDeps,
): Promise<Map<string, string>> => {
  const distinct = [...new Set(userIds)];
  const queues = await userQueues.get(distinct);
  const names = new Map(queues.flatMap(({ userId, user }) => (user === undefined ? [] : [[userId, user] as const])));
  // Accounts that have not logged in since their user queues have the name.
  const missing = distinct.filter((userId) => !names.has(userId));
  const others = missing.length > 0 ? await accounts.usernames(missing) : new Map<string, string>();
  return new Map([...names, ...others]);
};
