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
  /** When the owner last said that the user waits for a good reason: a long run, a back-off, its turn, a person. */
  vouchedAt?: Date;
};

/** What the ticket step returns: the new `seq`, and what the user queue was before it. */
export type Ticket = { seq: number; lane: number; wasOpen: boolean; settled: number };

/** `abandoned` is a tombstone: a ticket whose function died, or that was not used. */
export const settledStatuses = ['done', 'failed', 'cancelled', 'abandoned'] as const;
export const claimableStatuses = ['queued', 'processing'] as const;
/** `blocked` waits, in its place, for a person's retry or skip. */
export const pendingStatuses = [...claimableStatuses, 'blocked'] as const;
export const requestStatuses = [...pendingStatuses, ...settledStatuses] as const;
export type SettledStatus = (typeof settledStatuses)[number];
export type RequestStatus = (typeof requestStatuses)[number];

/** Why a run failed, fit to be shown to the request's owner: no stack, no internals. */
export type RunError = { name: string; message: string };

/** What a request asks of its own runs; what it leaves out is the processor's policy. */
export type RunLimits = { maxAttempts?: number; timeoutMs?: number };

/** Why a request was put aside: it failed its last attempt, or ended its worker again and again. */
export type DeadLetterReason = 'failed' | 'crashed';
export type DeadLetter = { reason: DeadLetterReason; at: Date };

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
  limits?: RunLimits;
  /** Attempts that do not count against `maxAttempts`: those before a person's retry, and those that came to no end. */
  forgiven?: number;
  /** Runs in a row that ended with their worker instead of by themselves; those of the request that this one runs again, too. */
  interruptions?: number;
  /** Set while the request is put aside and nobody has retried or dropped it. */
  deadLetter?: DeadLetter;
  /** The failed request that this one runs again. */
  retryOf?: number;
  /** What the processor returned, as JSON text; set when `done`. */
  result?: string;
  /** The newest failure; final when `failed`, and until a retry when `blocked`. */
  error?: RunError;
  /** Not to be run again before this time (back-off). */
  retryAt?: Date;
  acceptedAt: Date;
  startedAt?: Date;
  settledAt?: Date;
};

export type EntryId = { userId: string; seq: number };

/** How one request waits, without its texts: a head is small, however large the request is. */
export type EntryHead = Pick<
  LedgerEntry,
  'userId' | 'seq' | 'status' | 'acceptedAt' | 'startedAt' | 'retryAt' | 'deadLetter'
>;

/** What travels in a user's RabbitMQ queue. `body` is JSON text; `acceptedAt` is in ms since the epoch. */
export type RequestMessage = {
  seq: number;
  body: string;
  acceptedAt: number;
  limits?: RunLimits;
  interruptions?: number;
};

/**
 * What one run's end means. A `retry` runs again in place after `delayMs`; `crashed` says that its own process died of it.
 * `failed` is settled, `blocked` holds the user until a person decides; both are dead letters.
 */
export type Outcome =
  | { kind: 'done'; result: string }
  | { kind: 'retry'; error: RunError; delayMs: number; crashed?: boolean }
  | { kind: 'failed' | 'blocked'; error: RunError; reason: DeadLetterReason };

/** One run of a request, as it is handed to the processor. `body` is JSON text. */
export type Run = EntryId & {
  body: string;
  attempt: number;
  fencingToken: number;
  limits: RunLimits;
  forgiven: number;
  interruptions: number;
  signal: AbortSignal;
};

/**
 * One owner's change of one ledger entry, guarded by the fencing token [R7].
 *
 * - `claim` matches `queued | processing` with `attempts = attempt - 1` and no token above `token`; it sets `attempt`.
 * - the others match `processing` with exactly this `token` and `attempt`. `release` gives a claim back that was not run to
 *   its end, as a worker does that must go: processing -> queued.
 * - `interruptions` and `forgiven` are what they are to be, not what is to be added: a change may be sent twice, and what was
 *   read before an earlier owner's late release counts its attempt already.
 */
export type LedgerChange = EntryId & { token: number; attempt: number; at: Date } & (
    | { kind: 'claim'; interruptions: number; forgiven: number }
    | { kind: 'settle'; status: 'done'; result: string }
    | { kind: 'settle'; status: 'failed'; error: RunError; reason: DeadLetterReason }
    | { kind: 'block'; error: RunError; reason: DeadLetterReason }
    | { kind: 'retry'; error: RunError; retryAt: Date; interruptions: number }
    | { kind: 'release'; forgiven: number }
  );

/** `applied`: the change is in the ledger. Otherwise the entry that stands there instead (`undefined`: none). */
export type ChangeResult = { applied: true } | { applied: false; entry: LedgerEntry | undefined };

export const isSettled = (entry: Pick<LedgerEntry, 'status'>): boolean =>
  (settledStatuses as readonly string[]).includes(entry.status);
