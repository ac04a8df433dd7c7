/** One decision about many dead letters, those of each user in the order of `seq`. */
import { AppError } from '../errors.ts';
import type { EntryId } from '../types.ts';
import type { AcceptDeps } from './accept.ts';
import type { Decision, DecisionResult } from './dead-letters.ts';
import { EarlierRefusedError, NotRetryableError, RequestNotFoundError } from './errors.ts';

type Refusal = { result: 'refused'; code: string; detail: string };

export type Decided = EntryId & (DecisionResult | Refusal);

/** By user: the first request that was refused. */
type Refused = Map<string, number>;

/** Users whose dead letters are decided about at the same time. */
const parallelUsers = 8;

/**
 * Decides about each of these dead letters: users in parallel, those of one user in the order of `seq`, because that is the
 * order in which they run again. Where the order depends on it, nothing is decided about a user's later ones after a refusal:
 * they are refused too. The results are in the order of the items.
 *
 * @throws {AppError} 503 when a server fails, once no decision is under way any more: on AWS Lambda, one left over would go on
 * in the next invocation. What was decided before stays decided, and repeating the call is harmless.
 */
export const decideEach = async (
  items: EntryId[],
  decision: Decision,
  deps: AcceptDeps,
  refused: Refused = new Map(),
): Promise<Decided[]> => {
  const decided: Decided[] = [];
  const indexed = items.map(({ userId, seq }, index) => ({ id: { userId, seq }, index }));
  const inOrder = indexed.sort((one, other) => one.id.seq - other.id.seq);
  const remainingUsers = Map.groupBy(inOrder, ({ id }) => id.userId).values();
  let failure: { error: unknown } | undefined;
  const decideForUsers = async () => {
    for (const itemsOfUser of remainingUsers) {
      for (const { id, index } of itemsOfUser) {
        if (failure) return;
        try {
          decided[index] = await decideOne(id, decision, deps, refused);
        } catch (error) {
          failure ??= { error };
        }
      }
    }
  };
  await Promise.all(Array.from({ length: parallelUsers }, decideForUsers));
  if (failure) throw failure.error;
  return decided;
};

const decideOne = async (id: EntryId, decision: Decision, deps: AcceptDeps, refused: Refused): Promise<Decided> => {
  try {
    const earlier = refused.get(id.userId);
    if (decision.inOrder && earlier !== undefined) throw new EarlierRefusedError(id.seq, earlier);
    return { ...id, ...(await decision.decide(id, deps)) };
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    if (!refused.has(id.userId) && !isOver(error)) refused.set(id.userId, id.seq);
    return { ...id, result: 'refused', code: error.code, detail: error.message };
  }
};

/** Nothing of the request is left to run again: later ones overtake nothing. So a call that failed half-way can be repeated. */
const isOver = (error: AppError): boolean =>
  error instanceof NotRetryableError || error instanceof RequestNotFoundError;

const batchSize = 100;
/** No new batch begins after this time: the caller continues with `next`, before its gateway times out. */
const budgetMs = 5_000;

/**
 * Where a call stopped: behind this dead letter, which may be in the middle of its user. `through`: the user's highest `seq`
 * when the decisions about it began. `refused`: the user's first request that was refused, if any.
 */
export type DecisionCursor = EntryId & { through: number; refused?: number };

/** `refusedBy`: the refusals by their error codes. `next`: dead letters after this one are left. */
export type DecidedAll = {
  decided: number;
  refused: number;
  refusedBy: Record<string, number>;
  next?: DecisionCursor;
};

const count = (total: DecidedAll, decided: Decided[]): void => {
  for (const one of decided) {
    if (one.result === 'refused') {
      total.refused += 1;
      total.refusedBy[one.code] = (total.refusedBy[one.code] ?? 0) + 1;
    } else total.decided += 1;
  }
};

/** The users that are not in `through` yet get their `accepted`: no request that this call retries has a `seq` up to it. */
const noteAccepted = async (
  items: EntryId[],
  through: Map<string, number>,
  { userQueues }: AcceptDeps,
): Promise<void> => {
  const newUsers = [...new Set(items.map(({ userId }) => userId))].filter((userId) => !through.has(userId));
  if (newUsers.length === 0) return;
  for (const { userId, accepted } of await userQueues.get(newUsers)) through.set(userId, accepted);
};

/**
 * Decides about all dead letters of one user, or of all users: user after user, and by `seq`, because the times at which
 * requests were dead-lettered come from several clocks. Requests that this call retried are left when they fail again.
 *
 * @throws {AppError} 503 as `decideEach`
 */
export const decideAll = async (
  { userId, after }: { userId?: string; after?: DecisionCursor },
  decision: Decision,
  deps: AcceptDeps,
): Promise<DecidedAll> => {
  const startedMs = deps.clock.monotonicMs();
  const total: DecidedAll = { decided: 0, refused: 0, refusedBy: {} };
  const through = new Map(after ? [[after.userId, after.through]] : []);
  const refused: Refused = new Map(after?.refused === undefined ? [] : [[after.userId, after.refused]]);
  const throughOf = (one: EntryId) => through.get(one.userId) ?? Number.MAX_SAFE_INTEGER;
  let last: EntryId | undefined = after;
  for (;;) {
    const listed = await deps.ledger.deadLetterIds({ userId, after: last, limit: batchSize });
    await noteAccepted(listed, through, deps);
    const batch = listed.filter((one) => one.seq <= throughOf(one));
    count(total, await decideEach(batch, decision, deps, refused));
    last = listed.at(-1);
    if (!last || listed.length < batchSize) return total;
    if (deps.clock.monotonicMs() - startedMs > budgetMs) {
      return { ...total, next: { ...last, through: throughOf(last), refused: refused.get(last.userId) } };
    }
  }
};
