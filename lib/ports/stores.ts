/** What the product asks of MongoDB (`lib/store`). Every method rejects with `StoreUnavailableError` when it cannot answer. */
import type { ChangeResult, LedgerChange } from '../ledger-change.ts';
import type { Session } from '../sessions.ts';
import type {
  EntryHead,
  EntryId,
  LedgerEntry,
  Lent,
  RequestStatus,
  Ticket,
  TicketRefusal,
  UserQueue,
  WorkEntry,
} from '../types.ts';
import type { DeadLetterLists } from './dead-letters.ts';

/** An operator sees and fixes what is stuck or dead-lettered, for all users. */
export type Role = 'user' | 'operator';
export type Account = { userId: string; username: string; passwordHash: string; role: Role };

export interface AccountStore {
  /** Creates the account and returns its id; `undefined` when the name is taken. Names are compared without case. */
  create(username: string, passwordHash: string): Promise<string | undefined>;
  findByUsername(username: string): Promise<Account | undefined>;
  find(userId: string): Promise<Account | undefined>;
  /** The names of those of these users that have an account, by user id. One query. */
  usernames(userIds: string[]): Promise<Map<string, string>>;
  /** Those of these users that have the operator role. One query. */
  operators(userIds: string[]): Promise<Set<string>>;
  /** Returns whether it was replaced: `from` was still the hash. */
  replacePasswordHash(userId: string, from: string, to: string): Promise<boolean>;
  /** Returns whether the account exists. */
  setRole(username: string, role: Role): Promise<boolean>;
}

/** A counter of one key, which all processes share and which ends `msLeft` from now. */
export type Counter = { count: number; msLeft: number };

export interface CounterStore {
  /** Adds one to a counter that allows `limit` in `seconds`. Returns `undefined`, or when it is above its limit the ms that are left. */
  take(key: string, allowed: { limit: number; seconds: number }): Promise<number | undefined>;
  /** Adds one. The counter ends `seconds` after its first addition. */
  add(key: string, seconds: number): Promise<Counter>;
  read(key: string): Promise<Counter | undefined>;
  set(key: string, count: number, seconds: number): Promise<void>;
  remove(key: string): Promise<void>;
}

/** `advanced`: requests were settled since the last flush. Otherwise the owner only vouches for the user. */
export type Progress = { userId: string; settled: number; settledBytes?: number; advanced: boolean };

/** A request that is lent out, and its user. */
export type Loan = Lent & { userId: string };

/**
 * What a ticket is for, and the limits of its user. `bytes` are those of all its requests, `count` says how many: 1 when it is absent.
 * `ratePerSecond` is absent where no rate applies.
 */
export type TicketDemand = {
  count?: number;
  bytes: number;
  maxPending: number;
  maxPendingBytes: number;
  ratePerSecond?: number;
};

/** A user by reference, and what its user queue is created with. */
export type ReferredUser = { userId: string; user: string; lane: number };

/** What the ledger has settled: so many requests, with so many bytes. */
export type SettledSum = { requests: number; bytes: number };

/** A span of time, both ends included. */
export type TimeSpan = { from: Date; to: Date };

export type StalledUser = Pick<UserQueue, 'userId' | 'lane' | 'accepted' | 'settled' | 'updatedAt'>;
export type StalledUserCursor = Pick<StalledUser, 'userId' | 'updatedAt'>;

/** The last user of a page: the page after it begins behind. */
export type UserCursor = Pick<UserQueue, 'userId' | 'user' | 'updatedAt'>;

/**
 * `waiting`: the open users who may have pending work; `all`: also those who are away. `name`: only users whose name begins so, in its order.
 * Without it those of a lane, or all, by their ids; and all who may wait by `updatedAt`, those without progress for longest first.
 */
export type UserPageQuery = {
  show: 'waiting' | 'all';
  lane?: number;
  name?: string;
  after?: UserCursor;
  limit: number;
};

export interface UserQueueStore {
  /** Idempotent: an existing user queue stays unchanged. `user`: the account's user name. */
  create(userId: string, lane: number, now: Date, user?: string): Promise<void>;
  /**
   * One atomic update: a login above `maxSessions` ends the oldest, with its connections. Also notes the account's user name, `user`, and
   * creates the user queue, in case registration died before it did. Idempotent.
   */
  addSession(userId: string, session: Session, lane: number, maxSessions: number, user?: string): Promise<void>;
  /**
   * One atomic update: adds the session of a connection, and from then on its login does not keep the user queue open. Unless the login is
   * not live, or the user has `maxConnections` that are.
   */
  addConnection(
    userId: string,
    session: Session & { login: string },
    maxConnections: number,
    now: Date,
  ): Promise<'added' | 'login-ended' | 'too-many'>;
  /** Extends these sessions where they are still there, and returns the ids of sessions that are; those of others may be among them. */
  extendSessions(sessions: { userId: string; sessionId: string }[], expiresAt: Date): Promise<Set<string>>;
  /** Ends all sessions but this one and its connections, while it is live. Returns whether it was. */
  endOtherSessions(userId: string, sessionId: string, now: Date): Promise<boolean>;
  /** Returns the user queue without the session and its connections; `undefined` for an unknown user. Idempotent. */
  removeSession(userId: string, sessionId: string): Promise<UserQueue | undefined>;
  /**
   * Enqueue step 2: one atomic update. Returns `undefined` when the session is not live. Without `sessionId`, as for an operator's
   * retry, the user needs no session. Without `demand` nothing is limited.
   */
  takeTicket(
    userId: string,
    sessionId: string | undefined,
    now: Date,
    demand?: TicketDemand,
  ): Promise<Ticket | TicketRefusal | undefined>;
  /**
   * Enqueue step 2 of a user by reference: the ticket sets its permanent session in the same update. Creates the user queue when it is
   * missing.
   */
  takeTicketByReference(user: ReferredUser, now: Date, demand?: TicketDemand): Promise<Ticket | TicketRefusal>;
  /** Records what a refused call has counted, as totals of the user. It never lowers them. */
  noteCounted(userId: string, total: SettledSum, countAgainAt: Date): Promise<void>;
  get(userIds: string[]): Promise<UserQueue[]>;
  /** A page of users, and no more documents read than that. Some of those that `waiting` finds wait for nothing. */
  page(query: UserPageQuery): Promise<UserQueue[]>;
  /**
   * The last tickets of the open users of these lanes. May leave out users for whom nothing was pending when a sweep looked, and who have got no
   * ticket since.
   */
  lastTickets(lanes: number[]): Promise<Map<string, number>>;
  /** All user queues of a lane that are not closed, in batches, in any order. */
  notClosed(lane: number): AsyncIterable<UserQueue[]>;
  /** Close step 1 [R8]: open -> closing, if nothing was accepted after `accepted`. Returns whether it closed. */
  beginClose(userId: string, accepted: number, onlyWithoutSession: boolean, now: Date): Promise<boolean>;
  /** Close step 3 [R9]: closing -> closed, if nothing was accepted after `accepted`. Returns whether it closed. */
  endClose(userId: string, accepted: number, now: Date): Promise<boolean>;
  /** Raises `settled`, never lowers it, and records that the user advanced and that its owner vouches for it. */
  flushSettled(progress: Progress[], now: Date): Promise<void>;
  /** Tells functions whether RabbitMQ refuses the user's queue to its owner [R10]. */
  noteQueueRefused(userId: string, refused: boolean): Promise<void>;
  /** Records the requests that run on after a hand-over [R11], except where a higher token is recorded. */
  noteLent(loans: Loan[]): Promise<void>;
  dropExpiredSessions(now: Date): Promise<void>;
  /** The requests of all users that are accepted and not settled, as far as owners have flushed, and how many users have any. */
  countPending(): Promise<{ requests: number; users: number }>;
  /**
   * User queues without progress in the time span `recently` that have something to do: pending work, no session left, or
   * closing. Those without progress for longest come first; then those whose progress lies behind the span, because MongoDB's
   * clock was set back. `unvouched` leaves out the users that an owner has vouched for in the span.
   * They are only stalled, not stuck: a user that was idle shows no progress either, and may have enqueued a moment ago.
   * `after`: the last user of the previous page.
   */
  stuck(
    recently: TimeSpan,
    limit: number,
    which: 'all' | 'unvouched',
    after?: StalledUserCursor,
  ): Promise<StalledUser[]>;
}

type OfTicket = 'userId' | 'seq' | 'bytes' | 'bytesThrough' | 'acceptedAt';
type OfRequest = 'key' | 'body' | 'limits' | 'retryOf' | 'interruptions' | 'traceparent';
export type NewEntry = Pick<LedgerEntry, OfTicket | OfRequest>;

/** Why an entry was not inserted: another one has its `seq`, or its key. */
export type Duplicate = 'duplicate-seq' | 'duplicate-key';

/** The requests with `after < seq <= upTo`. */
export type SeqRange = { after: number; upTo: number };

export interface LedgerStore extends DeadLetterLists {
  insert(entry: NewEntry): Promise<'inserted' | Duplicate>;
  /** Inserts the entries of one user in this order, up to the first that is refused: nothing behind that one is inserted. */
  insertInOrder(entries: NewEntry[]): Promise<{ inserted: number; refused?: Duplicate }>;
  /**
   * Returns true when the tombstone was written, false when the ledger already has an entry with this `seq`. The ticket's holder
   * knows its bytes.
   */
  insertTombstone(ticket: EntryId & Pick<NewEntry, 'bytes' | 'bytesThrough'>, now: Date): Promise<boolean>;
  findByKey(userId: string, key: string): Promise<LedgerEntry | undefined>;
  /** The whole entries that exist, each once, in any order. `withLog: false`: without their attempts. */
  read(ids: EntryId[], options?: { withLog: boolean }): Promise<LedgerEntry[]>;
  /** What an owner needs to know about the entries that exist, each once, in any order. Results are not read. */
  readWork(ids: (EntryId & { withBody: boolean })[]): Promise<WorkEntry[]>;
  /** The heads of the entries that exist, each once, in any order. Bodies and results are not read. */
  readHeads(ids: EntryId[]): Promise<EntryHead[]>;
  /** Group commit: each change is independent of the others. The results are in the order of the changes. */
  commit(changes: LedgerChange[]): Promise<ChangeResult[]>;
  /**
   * -> cancelled: a queued request that has never started, or one in its back-off, which keeps its attempts and its error.
   * Returns whether it was cancelled.
   */
  cancel(id: EntryId, now: Date): Promise<boolean>;
  /** The same for each of these requests of a user, in one statement. Returns how many were cancelled. */
  cancelEach(userId: string, seqs: number[], now: Date): Promise<number>;
  /**
   * blocked -> queued; forgives its attempts and removes the dead letter. Its interruptions stay, so that a request that
   * crashed runs alone again. `attempts`: as the caller read it. Returns whether it was unblocked.
   */
  unblock(entry: EntryId & { attempts: number }): Promise<boolean>;
  /**
   * processing -> queued, for a request in its back-off: its next attempt may start at once. It forgives no attempt. It removes
   * `retryAt` instead of setting it to now, because the owner's clock may be behind. `attempts`: as the caller read it, so that
   * a later back-off is left alone. Returns whether the back-off was ended.
   */
  endBackOff(entry: EntryId & { attempts: number }): Promise<boolean>;
  /** -> failed: a blocked request, or one in its back-off, which becomes a dead letter. Returns whether it was skipped. */
  skip(id: EntryId, now: Date): Promise<boolean>;
  /**
   * Sets `endRequestedAt` of a request that is `processing` and not in its back-off, once. It is not claimed again [R14]. Returns
   * whether it was set now.
   */
  requestEnd(id: EntryId, now: Date): Promise<boolean>;
  /** Removes the dead letter of a settled request. Returns whether there was one. */
  dropDeadLetter(id: EntryId): Promise<boolean>;
  /**
   * Cancels the requests of the range that are queued, blocked or in their back-off, also those that have run before, and
   * returns how many. A blocked one stops being a dead letter. Each entry is an update of its own: a
   * crash in between leaves the rest unchanged.
   */
  cancelQueued(userId: string, range: SeqRange, now: Date): Promise<number>;
  /** What is settled in the range. `bytesBefore` is `bytesThrough` of the entry `after`, or 0 when that has none. */
  sumSettled(userId: string, range: SeqRange): Promise<SettledSum & { bytesBefore: number }>;
  /** The status alone, for callers that poll. `undefined`: no such entry. */
  status(id: EntryId): Promise<RequestStatus | undefined>;
  /**
   * Entries with a `seq` above `after`, in ascending order, without their bodies and attempts: 100 bodies are up to 25 MB, and no client
   * is shown them. The page ends with the entry whose result brings the sum of all results above `maxChars` characters. `upTo`: the
   * highest `seq` that is looked at.
   */
  page(
    userId: string,
    query: { status?: RequestStatus; after: number; upTo?: number; limit: number; maxChars?: number },
  ): Promise<Omit<LedgerEntry, 'body' | 'attemptLog'>[]>;
  /** The unsettled entry with the lowest `seq` from `from` on. */
  oldestPending(userId: string, from: number): Promise<EntryHead | undefined>;
}
