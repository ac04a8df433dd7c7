/**
 * Everything that a caller can do: the one way in. The HTTP functions, the calls of back ends with a key, and the library are built on
 * it, and add what is theirs: who calls, how input is read, and how an answer looks.
 */
import type { Deps, FunctionDeps } from '../deps.ts';
import type { Wait } from '../long-polls.ts';
import { type Caller, permanentSession, userIdOf } from '../references.ts';
import type { EntryId, LedgerEntry, RequestStatus, RunLimits, UserQueue } from '../types.ts';
import { type AcceptDeps, type Accepted, acceptRequest, acceptRequests } from './accept.ts';
import { cancelRequest } from './cancel.ts';
import { type Cancelled, type CancelledAll, cancelAll, cancelListed } from './cancel-many.ts';
import {
  type DeadLetterPage,
  type DeadLetterPageQuery,
  type Decision,
  dropDeadLetter,
  listDeadLetters,
  retryDeadLetter,
} from './dead-letters.ts';
import { type Decided, type DecidedAll, type DecisionCursor, decideAll, decideEach } from './decide-many.ts';
import { type DisconnectCommand, disconnect, type QueueAfterDisconnect } from './disconnect.ts';
import { endRequest } from './end.ts';
import { describeQueue, lookUpRequest, type QueueState } from './look-up.ts';
import { type Overview, overview } from './overview.ts';
import { type Retried, retryRequest, skipRequest } from './retry.ts';
import { findStuck, type StuckUser } from './stuck.ts';
import { userQueueOf } from './user-queue.ts';
import { describeUser, listUsers, type UserList, type UserQuery, type UserState } from './users.ts';

export type OperationDeps = AcceptDeps &
  Pick<Deps, 'accounts' | 'workers'> &
  Pick<FunctionDeps, 'health'> & { config: AcceptDeps['config'] & Pick<Deps['config'], 'stuckAfterMs'> };

/** `body` is the request as JSON text, `key` the Idempotency-Key, `traceparent` the trace of the caller. */
export type NewRequest = { body: string; key?: string; limits?: RunLimits; traceparent?: string };

export type PageQuery = { status?: RequestStatus; after: number; limit: number; maxChars?: number };

/** No index has the status: a search reads every request that it passes, up to so many. */
const searchedAtMost = 10_000;

/** The last `seq` that a page looks at. */
export const searchEnd = ({ status, after }: Pick<PageQuery, 'status' | 'after'>): number =>
  status === undefined ? Number.MAX_SAFE_INTEGER : after + searchedAtMost;

/** `searched`: the page looked no further than this `seq`, and more follow. */
export type EntryPage = { entries: LedgerEntry[]; searched?: number };

/** The listed dead letters, or those of one user or of all users, after the cursor. */
export type Selection = { items: EntryId[] } | { items?: undefined; userId?: string; after?: DecisionCursor };

const pageOf = async (
  { userId, accepted }: UserQueue,
  query: PageQuery,
  { ledger }: OperationDeps,
): Promise<EntryPage> => {
  const upTo = searchEnd(query);
  const entries = await ledger.page(userId, { ...query, upTo });
  return { entries, searched: upTo < accepted ? upTo : undefined };
};

const decide = async (selection: Selection, decision: Decision, deps: AcceptDeps): Promise<Decided[] | DecidedAll> =>
  selection.items ? decideEach(selection.items, decision, deps) : decideAll(selection, decision, deps);

/** A user's own calls. `queue` is the user queue, as it was read when the caller was let in. */
export type UserOperations = {
  /** @throws as `acceptRequest` */
  enqueue(caller: Caller, request: NewRequest): Promise<Accepted>;
  /** All or none, in their order. @throws as `acceptRequests` */
  enqueueAll(caller: Caller, requests: NewRequest[]): Promise<Accepted[]>;
  lookUp(queue: UserQueue, seq: number, wait?: Wait): Promise<{ entry: LedgerEntry; settled: number }>;
  list(queue: UserQueue, query: PageQuery): Promise<EntryPage>;
  cancel(id: EntryId): Promise<LedgerEntry>;
  cancelListed(queue: UserQueue, seqs: number[]): Promise<Cancelled[]>;
  cancelAll(queue: UserQueue, range: { upTo?: number }): Promise<CancelledAll>;
  retry(caller: Caller, seq: number): Promise<Retried>;
  skip(id: EntryId): Promise<LedgerEntry>;
  describe(queue: UserQueue): Promise<QueueState>;
  disconnect(command: DisconnectCommand): Promise<QueueAfterDisconnect>;
};

/** What operators do, for all users. */
export type OperatorOperations = {
  /** What is wrong, the lanes and workers, and the last hour. A process looks at most once a second, however many ask. */
  overview(): Promise<Overview>;
  stuck(limit: number): Promise<StuckUser[]>;
  listUsers(query: UserQuery): Promise<UserList>;
  describeUser(queue: UserQueue): Promise<UserState>;
  deadLetters(query: DeadLetterPageQuery): Promise<DeadLetterPage>;
  retryDeadLetters(selection: Selection): Promise<Decided[] | DecidedAll>;
  dropDeadLetters(selection: Selection): Promise<Decided[] | DecidedAll>;
  end(id: EntryId, wait?: Wait): Promise<{ entry: LedgerEntry; settled: number }>;
};

export type Operations = UserOperations &
  OperatorOperations & {
    /** @throws {InvalidReferenceError} 400 */
    queueByReference(reference: string): Promise<UserQueue>;
    /** Ends the permanent session of a user by reference. */
    disconnectReference(
      reference: string,
      options: Pick<DisconnectCommand, 'pending' | 'wait'>,
    ): Promise<QueueAfterDisconnect>;
  };

export const createOperations = (deps: OperationDeps): Operations => ({
  enqueue: (caller, request) => acceptRequest({ ...caller, ...request }, deps),
  enqueueAll: (caller, requests) => acceptRequests({ ...caller, requests }, deps),
  lookUp: (queue, seq, wait) => lookUpRequest(queue, seq, wait, deps),
  list: (queue, query) => pageOf(queue, query, deps),
  cancel: (id) => cancelRequest(id, deps),
  cancelListed: (queue, seqs) => cancelListed(queue, seqs, deps),
  cancelAll: (queue, range) => cancelAll(queue, range, deps),
  retry: (caller, seq) => retryRequest({ ...caller, seq }, deps),
  skip: (id) => skipRequest(id, deps),
  describe: async (queue) => {
    const { head: _, ...state } = await describeQueue(queue, deps);
    return state;
  },
  disconnect: (command) => disconnect(command, deps),
  overview: () => overview(deps),
  stuck: (limit) => findStuck(limit, deps),
  listUsers: (query) => listUsers(query, deps),
  describeUser: (queue) => describeUser(queue, deps),
  deadLetters: (query) => listDeadLetters(query, deps),
  retryDeadLetters: (selection) => decide(selection, retryDeadLetter, deps),
  dropDeadLetters: (selection) => decide(selection, dropDeadLetter, deps),
  end: (id, wait) => endRequest(id, wait, deps),
  queueByReference: async (reference) => userQueueOf(userIdOf(reference), deps),
  disconnectReference: (reference, options) =>
    disconnect({ userId: userIdOf(reference), sessionId: permanentSession.id, ...options }, deps),
});
