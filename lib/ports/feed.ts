/** Live events of users: what happened to their requests since a cursor, first from the ledger and then as it happens (`lib/events`). */
import type { PlaceOwner } from '../places.ts';
import type { LedgerEntry, RequestStatus, UserQueue, UserQueueState } from '../types.ts';

/** `q` queued, `r` running, `f` failed and in its back-off, `b` blocked. */
export type Phase = 'q' | 'r' | 'f' | 'b';

/** How far a request has come that is not settled. */
export type Known = { attempts: number; phase: Phase };

/** Requests from one `seq` to another, both included. */
export type SeqSpan = { from: number; to: number };

/** All that a client knows of its user's requests. A server that has it needs nothing else to go on where the client was. */
export type Cursor = {
  /** All requests up to here are known to be settled. */
  settledThrough: number;
  /** All requests up to here are known to be accepted. */
  acceptedThrough: number;
  /** What is known of the first request that is not settled. */
  front: Known;
  /** Requests behind that one which are known to be settled: they were cancelled before their turn. Ascending, never adjacent. */
  spans: SeqSpan[];
};

/** `queued-again`: it waits for another run after an interruption, or because a person decided so. */
export const requestEventTypes = [
  'accepted',
  'started',
  'attempt-failed',
  'blocked',
  'queued-again',
  'settled',
] as const;
export type RequestEventType = (typeof requestEventTypes)[number];

/** What clients are sent. */
export const feedEventTypes = [...requestEventTypes, 'queue', 'overview'] as const;

/** `idle`: nothing has happened for `heartbeatMs`. It has no text. */
export type FeedEventType = (typeof feedEventTypes)[number] | 'idle';

/** `json`: the data. `id`: what the client knows with this event; absent in events of a queue. */
export type FeedEvent = { id?: string; type: FeedEventType; json: string };

/** A ledger entry without its body. A result is read only up to 16 KiB. */
export type EventEntry = Omit<LedgerEntry, 'body'>;

/** The phase of an entry, in a look at many. */
export type EntryPhase = Pick<LedgerEntry, 'userId' | 'seq' | 'attempts' | 'retryAt'> & { status: RequestStatus };

/** What a look finds of a user. */
export type WatchedQueue = Pick<UserQueue, 'userId' | 'accepted' | 'settled' | 'sessions'> & { state: UserQueueState };

/** What the feed asks of MongoDB. What does not exist is left out; any order. */
export interface EventStore {
  queues(userIds: string[]): Promise<WatchedQueue[]>;
  entries(ids: { userId: string; seq: number }[]): Promise<EventEntry[]>;
  phases(ids: { userId: string; seq: number }[]): Promise<EntryPhase[]>;
  /** The `seq` of the user's first request behind this one. */
  firstAfter(userId: string, seq: number): Promise<number | undefined>;
}

export type FeedOptions = {
  /** Whose places the stream takes. With a session, the stream ends with it; with a key, when that is revoked. */
  who: PlaceOwner;
  /** It also ends when the caller loses the operator role. */
  asOperator?: boolean;
  /** Whose events, as it was read when the caller was let in. */
  queue: UserQueue;
  /** Without it: first everything that is not settled as it is now. */
  cursor?: Cursor;
  /** Only this request; the stream ends when it is settled. */
  seq?: number;
  /** Aborts when the client has gone. */
  signal?: AbortSignal;
  /** The text of a request, as the client may see it. `settled`: how far the queue has come. */
  show(entry: EventEntry, settled: number): string;
  /** Yields an `idle` event when nothing has happened for so long. */
  heartbeatMs?: number;
  /** The stream ends at this age. */
  maxAgeMs?: number;
  /** Only what is there now is asked for: it takes no place among the streams. */
  once?: true;
};

/** `settled`: the one request is. `away`: MongoDB does not answer. `role`: the caller is no operator any more. `room`: another user's stream took the place. */
export type StreamEnd = 'gone' | 'closed' | 'away' | 'session' | 'role' | 'settled' | 'age' | 'drain' | 'room';

export interface FeedStream extends AsyncIterable<FeedEvent> {
  /** What the client knows with the last event that was taken. */
  readonly cursor: string;
  /** Set once the stream has ended. */
  readonly ended: StreamEnd | undefined;
  /** The data of a `queue` event, as of now. */
  queue(): string;
  /** A page of what is new, as soon as something is, or what there is after `waitMs`: perhaps nothing. @throws {StoreUnavailableError} 503 */
  take(waitMs: number): Promise<FeedEvent[]>;
  close(): void;
}

/** Streams of one process share its reads, and what it hears. */
export interface Feed {
  /**
   * The events are read when they are taken: a slow reader holds up nobody, and makes nothing pile up.
   *
   * @throws {TooManyStreamsError} 429; {BusyError} 503; with neither `cursor` nor `seq` also {StoreUnavailableError} 503
   */
  open(options: FeedOptions): Promise<FeedStream>;
  /** A hint: something happened to this user's requests. It is not trusted; the ledger is read. */
  hint(userId: string, seq?: number): void;
  /** Ends all streams, so that their clients go on elsewhere. */
  drain(): void;
  /** How many streams are open. */
  streams(): number;
  /** How many events were taken, by type. */
  taken(): ReadonlyMap<FeedEventType, number>;
  close(): Promise<void>;
}

/** A state as a whole, which a process reads for all who watch it. `version` differs when it has changed. */
export type Snapshot = { version: string; json: string };

export type WatchOptions = Pick<FeedOptions, 'who' | 'signal'> & {
  /** The version that the client has. */
  known?: string;
};

/** Who watches shares what is read: at most once a second, and nothing when nobody watches. Only operators may. */
export interface SnapshotFeed {
  /** The state now, at most a second old. @throws {StoreUnavailableError} 503 */
  now(): Promise<Snapshot>;
  /** The state as soon as it is not the known one, or what it is after `waitMs`. @throws as `open` */
  take(options: WatchOptions & { waitMs: number }): Promise<Snapshot>;
  /**
   * The state, unless it is the known one, and then each time that it has changed. Ends when MongoDB does not answer: nobody knows the state then.
   *
   * @throws {TooManyStreamsError} 429; {BusyError} {StoreUnavailableError} 503
   */
  open(
    options: WatchOptions & Required<Pick<FeedOptions, 'heartbeatMs' | 'maxAgeMs'>>,
  ): Promise<AsyncIterable<FeedEvent>>;
  /** Ends all streams, so that their clients go on elsewhere. */
  drain(): void;
  /** How many events were taken. */
  taken(): number;
  close(): void;
}

/** Says that something happened to a user's requests. Never fails, and may be lost: what it says is in the ledger. */
export interface Hints {
  /** `seq`: where to look, apart from the first request that is not settled. */
  tell(lane: number, userId: string, seq?: number): void;
}

/** Hears hints. */
export interface HintSource {
  /** From now on hints of exactly these lanes are heard. It takes a moment. */
  follow(lanes: ReadonlySet<number>): void;
  close(): Promise<void>;
}
