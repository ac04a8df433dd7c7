/** What operators do, for all users: those of back ends and those with accounts. */
import type { LibraryDeps } from '../compose/library.ts';
import { cursorText, decisionCursorText, readCursor, readDecisionCursor } from '../http/dead-letter-json.ts';
import { InvalidRequestError } from '../http/errors.ts';
import { cursorOf } from '../requests/dead-letters.ts';
import type { Decided, DecidedAll } from '../requests/decide-many.ts';
import { findUser } from '../requests/find-user.ts';
import type { Operations, Selection } from '../requests/operations.ts';
import type { Overview } from '../requests/overview.ts';
import type { StuckUser } from '../requests/stuck.ts';
import { checkedSelection, deadLetterPageOf, seqOf, stuckPageOf, whomOf } from './input.ts';
import { deadLetterState, requestState } from './shapes.ts';
import type {
  DeadLetterDecisions,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterSelection,
  RequestState,
  WaitOptions,
} from './types.ts';
import type { Waiting } from './user-calls.ts';

/** Every call may also throw `InvalidRequestError`, `StoreUnavailableError`, and where it names a user `NoSuchUserError` and `AmbiguousUserError`. */
export interface OperatorCalls {
  /** What is wrong, who owns the lanes, and how long requests waited in the last hour. At most a second old, however many ask. */
  overview(): Promise<Overview>;
  /** Users with pending requests and no progress, the longest stuck first, each with the reason. `limit`: 1 to 100, 50 by default. */
  stuck(options?: { limit?: number }): Promise<StuckUser[]>;
  /**
   * Ends a run that does not end: its signal aborts, and the request becomes a dead letter with the reason `ended`. Waits up to `waitMs` for
   * that; 0 by default. `user`: a reference, an account's user name or a user id.
   *
   * @throws {RequestNotFoundError} {NotRunningError}
   */
  end(user: string, seq: number, options?: WaitOptions): Promise<RequestState>;
  readonly deadLetters: {
    /** A page of dead letters, in the order in which they were dead-lettered. With `reason` it may be empty and have a `next`. */
    list(query?: DeadLetterQuery): Promise<DeadLetterPage>;
    /** Runs dead letters again, those of each user in order. */
    retry(selection: DeadLetterSelection): Promise<DeadLetterDecisions>;
    /** Takes dead letters off the list; a blocked request is skipped. */
    drop(selection: DeadLetterSelection): Promise<DeadLetterDecisions>;
  };
}

const cursorFrom = <Cursor>(read: (text: string) => Cursor | undefined, text: string | undefined) => {
  const found = text === undefined ? undefined : read(text);
  if (text !== undefined && !found) {
    throw new InvalidRequestError('options.after: must be `next` from an earlier answer of the same call');
  }
  return found;
};

const inShort = (results: Decided[]): DeadLetterDecisions => {
  const refused = results.filter((one) => one.result === 'refused');
  const byCode = Map.groupBy(refused, ({ code }) => code);
  const refusedBy = Object.fromEntries([...byCode].map(([code, ones]) => [code, ones.length]));
  return { decided: results.length - refused.length, refused: refused.length, refusedBy, results };
};

const decisionsOf = (decided: Decided[] | DecidedAll): DeadLetterDecisions => {
  if (Array.isArray(decided)) return inShort(decided);
  const { next, ...counts } = decided;
  return { ...counts, ...(next ? { next: decisionCursorText(next) } : {}) };
};

export const createOperatorCalls = (operations: Operations, deps: LibraryDeps, waiting: Waiting): OperatorCalls => {
  const selectionOf = async (selection: DeadLetterSelection): Promise<Selection> => {
    const { items, user, after: text } = checkedSelection(selection);
    if (items) {
      const found = items.map(async ({ user, seq }) => ({ userId: await findUser(user, deps), seq }));
      return { items: await Promise.all(found) };
    }
    const after = cursorFrom(readDecisionCursor, text);
    return user === undefined ? { after } : { userId: await findUser(user, deps), after };
  };
  return {
    overview: () => operations.overview(),
    stuck: async (options = {}) => operations.stuck(stuckPageOf(options).limit),
    end: async (user, seq, options = {}) => {
      const { entry, settled } = await waiting(options, async (wait) => {
        const id = { userId: await findUser(whomOf(user), deps), seq: seqOf(seq) };
        return operations.end(id, wait);
      });
      return requestState(entry, settled);
    },
    deadLetters: {
      list: async (query = {}) => {
        const { user, reason, after, limit } = deadLetterPageOf(query);
        const userId = user === undefined ? undefined : await findUser(user, deps);
        const where = { userId, reason, after: cursorFrom(readCursor, after), limit };
        const { letters, searched } = await operations.deadLetters(where);
        const last = letters.length === limit ? letters.at(-1) : undefined;
        const end = last ? cursorOf(last) : searched;
        return { deadLetters: letters.map(deadLetterState), ...(end ? { next: cursorText(end) } : {}) };
      },
      retry: async (selection) => decisionsOf(await operations.retryDeadLetters(await selectionOf(selection))),
      drop: async (selection) => decisionsOf(await operations.dropDeadLetters(await selectionOf(selection))),
    },
  };
};
