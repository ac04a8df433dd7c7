/** The plain data of the lane protocol: what the stores keep and the rooms pass around. Words as in the glossary. */

export type UserQueueState = 'closed' | 'open' | 'closing';

/** One login or WebSocket connection of a user. */
export type Session = { id: string; expiresAt: Date };

/** One user's FIFO: the document that says what was accepted, what is settled, and whether a RabbitMQ queue may exist. */
export type UserQueue = {
  userId: string;
  /** Fixed at registration. */
  lane: number;
  sessions: Session[];
  state: UserQueueState;
  /** `seq` of the newest request. */
  accepted: number;
  /** Every `seq <= settled` is settled. Flushed lazily by the owner, exact when closed. */
  settled: number;
  /** When the owner last recorded progress. */
  updatedAt: Date;
};

/** What the ticket step returns: the user queue as it was before the ticket, and the new `seq`. */
export type Ticket = { seq: number; lane: number; wasOpen: boolean; settled: number };

/** `abandoned` is a tombstone: a ticket whose function died, or that was not used. */
export const settledStatuses = ['done', 'failed', 'cancelled', 'abandoned'] as const;
export const pendingStatuses = ['queued', 'processing'] as const;
export const requestStatuses = [...pendingStatuses, ...settledStatuses] as const;
export type SettledStatus = (typeof settledStatuses)[number];
export type RequestStatus = (typeof requestStatuses)[number];

/** Why a run failed, fit to be shown to the request's owner: no stack, no internals. */
export type RunError = { name: string; message: string };

/** One request, as the ledger records it. */
export type LedgerEntry = {
  userId: string;
  seq: number;
  /** The Idempotency-Key, where one was sent. */
  key?: string;
  /** The request as JSON text, exactly as it is handed to the processor; absent in a tombstone. */
  body?: string;
  status: RequestStatus;
  /** The fencing token (lease) of the newest claim. */
  token?: number;
  /** Claims so far: 0 before the first run. */
  attempts: number;
  /** What the processor returned, as JSON text; set when `done`. */
  result?: string;
  /** The newest failure; final when `failed`. */
  error?: RunError;
  /** Not to be run again before this time (back-off). */
  retryAt?: Date;
  acceptedAt: Date;
  startedAt?: Date;
  settledAt?: Date;
};

export type EntryId = { userId: string; seq: number };

/** What travels in a user's RabbitMQ queue. `body` is JSON text; `acceptedAt` is in ms since the epoch. */
export type RequestMessage = { seq: number; body: string; acceptedAt: number };

/** What one run's end means. A `retry` runs again in place after `delayMs`. */
export type Outcome =
  | { kind: 'done'; result: string }
  | { kind: 'retry'; error: RunError; delayMs: number }
  | { kind: 'failed'; error: RunError };

/** One run of a request, as it is handed to the processor. `body` is JSON text. */
export type Run = EntryId & { body: string; attempt: number; fencingToken: number; signal: AbortSignal };

/**
 * One owner's change of one ledger entry, guarded by the fencing token [R7].
 *
 * - `claim` matches `queued | processing` with `attempts = attempt - 1` and no token above `token`; it sets `attempt`.
 * - `settle` and `retry` match `processing` with exactly this `token` and `attempt`.
 */
export type LedgerChange = EntryId & { token: number; attempt: number; at: Date } & (
    | { kind: 'claim' }
    | { kind: 'settle'; status: 'done'; result: string }
    | { kind: 'settle'; status: 'failed'; error: RunError }
    | { kind: 'retry'; error: RunError; retryAt: Date }
  );

/** `applied`: the change is in the ledger. Otherwise the entry that stands there instead (`undefined`: none). */
export type ChangeResult = { applied: true } | { applied: false; entry: LedgerEntry | undefined };

export const isSettled = (entry: Pick<LedgerEntry, 'status'>): boolean =>
  (settledStatuses as readonly string[]).includes(entry.status);
