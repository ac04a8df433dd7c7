/**
 * The borders of the lane protocol: what the rooms ask of MongoDB (`lib/store`), of RabbitMQ (`lib/broker`) and of time.
 * The tests hold the real servers and the in-memory stand-ins to one contract. Every method rejects with
 * `StoreUnavailableError` or `BrokerUnavailableError` when its server cannot answer.
 */
import type {
  ChangeResult,
  DeadLetterReason,
  EntryId,
  LedgerChange,
  LedgerEntry,
  Outcome,
  RequestMessage,
  RequestStatus,
  Run,
  Session,
  SettledStatus,
  Ticket,
  UserQueue,
} from './types.ts';

/** An operator sees and mends what is stuck or put aside, of all users. */
export type Role = 'user' | 'operator';
export type Account = { userId: string; username: string; passwordHash: string; role: Role };

export interface AccountStore {
  /** Creates the account and returns its id; `undefined` when the name is taken (compared without case). */
  create(username: string, passwordHash: string): Promise<string | undefined>;
  findByUsername(username: string): Promise<Account | undefined>;
  find(userId: string): Promise<Account | undefined>;
  /** Returns whether there is such an account. */
  setRole(username: string, role: Role): Promise<boolean>;
}

/** `advanced`: something was settled since the last flush; otherwise the owner only vouches for the user. */
export type Progress = { userId: string; settled: number; advanced: boolean };

/** No more than so many `pending`, this one included, as far as `settled` was flushed; or no `seq` above this one. */
export type TicketLimit = { pending: number } | { seq: number };

export type StalledUser = Pick<UserQueue, 'userId' | 'lane' | 'accepted' | 'settled' | 'updatedAt'>;
export type StalledUserCursor = Pick<StalledUser, 'userId' | 'updatedAt'>;

export interface UserQueueStore {
  /** Idempotent: an existing user queue stays as it is. */
  create(userId: string, lane: number, now: Date): Promise<void>;
  /** Also creates the user queue when registration died before it did. Expired sessions count until they are dropped. */
  addSession(userId: string, session: Session, lane: number, maxSessions: number): Promise<'added' | 'too-many'>;
  /** Returns the user queue after the session is gone; `undefined` for an unknown user. Repeating it is harmless. */
  removeSession(userId: string, sessionId: string): Promise<UserQueue | undefined>;
  /**
   * Enqueue step 2: one atomic update. `undefined`: no such live session, or the limit. Without `sessionId`, as for an
   * operator's retry, any existing user gets a ticket.
   */
  takeTicket(
    userId: string,
    sessionId: string | undefined,
    now: Date,
    limit?: TicketLimit,
  ): Promise<Ticket | undefined>;
  get(userIds: string[]): Promise<UserQueue[]>;
  /** All user queues of a lane that are not closed, in batches, in any order. */
  notClosed(lane: number): AsyncIterable<UserQueue[]>;
  /** Close step 1 [R8]: open -> closing where nothing was accepted since. */
  beginClose(userId: string, accepted: number, onlyWithoutSession: boolean, now: Date): Promise<boolean>;
  /** Close step 3 [R9]: closing -> closed where nothing was accepted since. */
  endClose(userId: string, accepted: number, now: Date): Promise<boolean>;
  /** Raises `settled`, never lowers it; notes when the user advanced, and that its owner vouches for it. */
  flushSettled(progress: Progress[], now: Date): Promise<void>;
  dropExpiredSessions(now: Date): Promise<void>;
  /**
   * User queues that saw no progress since `before` although there is something to do: pending work, no session left, or
   * closing; the longest first. `unvouched` leaves out those that an owner has vouched for since. They are stalledUsers only:
   * who was idle has seen no progress either, and may have begun to wait a moment ago. `after`: the last one of a page.
   */
  stuck(before: Date, limit: number, which: 'all' | 'unvouched', after?: StalledUserCursor): Promise<StalledUser[]>;
}

export type NewEntry = Pick<
  LedgerEntry,
  'userId' | 'seq' | 'key' | 'body' | 'acceptedAt' | 'limits' | 'retryOf' | 'interruptions'
>;

/** Those with `after < seq <= upTo`. */
export type SeqRange = { after: number; upTo: number };

/** Where a page of dead letters went on: the last one's time and id. */
export type DeadLetterCursor = { at: Date } & EntryId;

export interface LedgerStore {
  insert(entry: NewEntry): Promise<'inserted' | 'duplicate-seq' | 'duplicate-key'>;
  /** True when the tombstone was written, false when a document with this `seq` exists. */
  insertTombstone(id: EntryId, now: Date): Promise<boolean>;
  findByKey(userId: string, key: string): Promise<LedgerEntry | undefined>;
  /** The entries that exist, in any order. */
  read(ids: EntryId[]): Promise<LedgerEntry[]>;
  /** Group commit: each change stands alone; the results are in the order of the changes. */
  commit(changes: LedgerChange[]): Promise<ChangeResult[]>;
  /** queued -> cancelled. Returns whether it did. */
  cancel(id: EntryId, now: Date): Promise<boolean>;
  /**
   * blocked -> queued, with its attempts forgiven and no dead letter any more. Its interruptions stay: one that crashed runs
   * alone again. `attempts` as read. Returns whether it did.
   */
  unblock(entry: EntryId & { attempts: number }, now: Date): Promise<boolean>;
  /** blocked -> failed. Returns whether it did. */
  skip(id: EntryId, now: Date): Promise<boolean>;
  /** Of all users or one, the longest put aside first. */
  deadLetters(query: { userId?: string; after?: DeadLetterCursor; limit: number }): Promise<LedgerEntry[]>;
  /** Takes a settled request off the dead letters. Returns whether it was there. */
  dropDeadLetter(id: EntryId): Promise<boolean>;
  /**
   * Cancels whatever waits there, queued or blocked, which is no dead letter any more then, and returns how many. Each by
   * itself: dying in between leaves the rest as it was.
   */
  cancelQueued(userId: string, range: SeqRange, now: Date): Promise<number>;
  /** How many of them are settled. */
  countSettled(userId: string, range: SeqRange): Promise<number>;
  /** What waits for a request asks again and again, without its body and result. `undefined`: there is no such entry. */
  status(id: EntryId): Promise<RequestStatus | undefined>;
  /**
   * By ascending `seq`, those above `after`, without their bodies: 100 of those are 25 MB, and nobody is shown them. It ends
   * with the one whose result goes beyond `maxChars` in all.
   */
  page(
    userId: string,
    query: { status?: RequestStatus; after: number; limit: number; maxChars?: number },
  ): Promise<Omit<LedgerEntry, 'body'>[]>;
  /** The unsettled entry with the lowest `seq` at or above `from`, without its body. */
  oldestPending(userId: string, from: number): Promise<Omit<LedgerEntry, 'body'> | undefined>;
}

export interface LaneStore {
  /** Take the lane, step 1: adds one to the lease; the new value is the fencing token. */
  takeLease(lane: number): Promise<number>;
  /** The leases of these lanes; 0 for a lane never taken. */
  leases(lanes: number[]): Promise<Map<number, number>>;
  /** All lanes ever taken. */
  known(): Promise<number[]>;
}

/** A worker's sign of life: what it owned at a moment. */
export type Heartbeat = { workerId: string; lanes: number[]; at: Date };

export interface WorkerStore {
  report(sign: Heartbeat): Promise<void>;
  remove(workerId: string): Promise<void>;
  /** The signs since `after`; older ones are forgotten some day. */
  since(after: Date): Promise<Heartbeat[]>;
}

/** `unroutable`: the queue does not exist; the message is nowhere. */
export type PublishResult = 'routed' | 'unroutable';

/** Persistent, mandatory, confirmed, with a deadline. Never declares or deletes [R1, R2]. */
export interface Publisher {
  publishRequest(userId: string, message: RequestMessage): Promise<PublishResult>;
  publishWake(lane: number, userId: string): Promise<PublishResult>;
  publishBaton(lane: number): Promise<PublishResult>;
}

/** One delivery that waits for its ack. `ack` on a closed channel does nothing. */
export type Delivery = { ack(): void };

export interface LaneEvents {
  baton(delivery: Delivery): void;
  wake(userId: string, delivery: Delivery): void;
  request(userId: string, message: RequestMessage, delivery: Delivery): void;
  /** The server cancelled a user queue's consumer: the queue was deleted by somebody else [R6]. */
  userQueueCancelled(userId: string): void;
  /** The channel is gone, and with it every consumer and unacked delivery. Called once; never after `close()`. */
  closed(cause: Error | undefined): void;
}

/** A lane's own channel: the lane's consumer, its declares and its user queues' consumers live and die together. */
export interface LaneChannel {
  /** Declares the user queue and consumes it. Harmless when repeated. */
  openUserQueue(userId: string): Promise<void>;
  deleteUserQueue(userId: string): Promise<void>;
  /** How many consumers stand by on this lane, this one included. */
  consumerCount(): Promise<number>;
  /** Gives everything unacked back to the server, in place. Never rejects. */
  close(): Promise<void>;
}

export interface LaneBroker {
  /** Declares the lane and consumes it on a channel of its own. Events may come before it resolves. */
  openLane(lane: number, events: LaneEvents): Promise<LaneChannel>;
}

/** Time and chance, so that a scheduler can decide both. */
export interface Clock {
  now(): Date;
  /** Calls back once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Runs the processor once and says what its end means. Never rejects. */
export type RunRequest = (run: Run) => Promise<Outcome>;

/** What a worker's lanes tell of themselves, for metrics, logs and recorded histories. Must not throw. */
export interface LaneObserver {
  laneTaken(event: { lane: number; fencingToken: number; users: number; at: Date }): void;
  laneReleased(event: { lane: number; reason: 'handed-over' | 'lost' | 'stopped'; at: Date }): void;
  runStarted(event: EntryId & { attempt: number; fencingToken: number; acceptedAt: Date; at: Date }): void;
  /** `aborted`: the lane was lost or the worker stopped; the outcome is not recorded, unless it was a success in time. */
  runEnded(
    event: EntryId & { attempt: number; fencingToken: number; outcome: Outcome['kind'] | 'aborted'; at: Date },
  ): void;
  /** Recorded in the ledger by this worker. */
  settled(event: EntryId & { status: SettledStatus; fencingToken: number; acceptedAt: Date; at: Date }): void;
  /** Recorded in the ledger by this worker: after `settled` where `status` is `failed`. */
  deadLettered(
    event: EntryId & { status: 'failed' | 'blocked'; reason: DeadLetterReason; fencingToken: number; at: Date },
  ): void;
  /** A sweep woke this many users that saw no progress. */
  swept(event: { stuck: number; at: Date }): void;
}
