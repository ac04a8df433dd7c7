import { AppError, inSeconds } from '../errors.ts';
import type { TicketDemand } from '../ports.ts';
import { type EntryHead, isInBackOff, type LedgerEntry, type TicketRefusal } from '../types.ts';

/**
 * Thrown when a user has too many pending requests, or when with those of the call they would have too many or too many bytes. A call that
 * exceeds a limit by itself never succeeds, so its client is not told to repeat it.
 */
export class TooManyPendingError extends AppError {
  constructor({ refused, pending, pendingBytes }: TicketRefusal, demand: TicketDemand) {
    const { count = 1, bytes, maxPending, maxPendingBytes } = demand;
    const isNeverAccepted = count > 1 && (count > maxPending || bytes > maxPendingBytes);
    const isAboutBytes = isNeverAccepted ? count <= maxPending : refused === 'bytes';
    const what = isAboutBytes
      ? `${pending} requests with ${pendingBytes} bytes are pending, and ${count > 1 ? `these ${count} have` : 'this one has'} ${bytes} bytes; the limit is ${maxPendingBytes} bytes (MAX_PENDING_BYTES).`
      : `${pending} requests are pending${count > 1 ? `, and this call has ${count}` : ''}; the limit is ${maxPending} (MAX_PENDING).`;
    const advice = isNeverAccepted
      ? 'They never fit, however few are pending. Send fewer requests in one call.'
      : 'Wait until some of them are settled, or cancel some.';
    super(`${what} ${advice}`, {
      code: 'too-many-pending',
      status: 429,
      retryAfterSeconds: isNeverAccepted ? undefined : 1,
    });
  }
}

/** Thrown when a user enqueues faster than the rate allows. */
export class EnqueueRateError extends AppError {
  constructor(ratePerSecond: number, { waitMs }: TicketRefusal) {
    super(`You may enqueue ${ratePerSecond} requests per second (ENQUEUE_RATE). Send this one again later.`, {
      code: 'enqueue-rate-exceeded',
      status: 429,
      retryAfterSeconds: inSeconds(waitMs),
    });
  }
}

/** Thrown when an Idempotency-Key is used again with another body or other limits. `differs`: what is not the same. */
export class IdempotencyKeyReusedError extends AppError {
  constructor(seq: number, differs: string) {
    super(`This Idempotency-Key belongs to request ${seq}, and ${differs}. Use a new key.`, {
      code: 'idempotency-key-reused',
      status: 422,
    });
  }
}

/** Thrown when the user has no request with this `seq`. */
export class RequestNotFoundError extends AppError {
  constructor(seq: number) {
    super(`There is no request ${seq}.`, { code: 'request-not-found', status: 404 });
  }
}

/** Thrown when a request cannot be cancelled because it is running, has run and is queued again, or is settled. */
export class NotCancellableError extends AppError {
  constructor({ seq, status, attempts }: Pick<LedgerEntry, 'seq' | 'status' | 'attempts'>) {
    const state = status === 'queued' ? `has been started before (attempts: ${attempts})` : `is ${status}`;
    super(
      `Request ${seq} ${state}; only a request that has never started, or that waits for its next attempt, can be cancelled.`,
      { code: 'not-cancellable', status: 409 },
    );
  }
}

/** Thrown when a request cannot be retried because it is neither blocked nor in its back-off nor a dead letter. */
export class NotRetryableError extends AppError {
  constructor(seq: number, why: string) {
    super(`Request ${seq} cannot be retried: ${why}.`, { code: 'not-retryable', status: 409 });
  }
}

/** Thrown when a request cannot be skipped because it is neither blocked nor in its back-off. */
export class NotBlockedError extends AppError {
  constructor(seq: number, status: string) {
    super(
      `Request ${seq} is ${status}; only a request that is blocked, or waits for its next attempt, can be skipped.`,
      {
        code: 'not-blocked',
        status: 409,
      },
    );
  }
}

/** What to do with a request that has no run to end. */
const insteadOfEnding = (head: Pick<EntryHead, 'status' | 'retryAt'>): string => {
  if (isInBackOff(head)) return 'waits for its next attempt: skip or cancel it';
  if (head.status === 'blocked') return 'is blocked: skip or retry it';
  if (head.status === 'queued') return 'is queued: cancel it, or wait until it runs';
  return `is ${head.status}`;
};

/** Thrown when an operator ends the run of a request that has none. */
export class NotRunningError extends AppError {
  constructor(head: Pick<EntryHead, 'seq' | 'status' | 'retryAt'>) {
    super(`Request ${head.seq} does not run; it ${insteadOfEnding(head)}.`, { code: 'not-running', status: 409 });
  }
}

/** Thrown when a request cannot be dropped because it is not a dead letter. */
export class NotDeadLetterError extends AppError {
  constructor(seq: number) {
    super(`Request ${seq} is not a dead letter.`, { code: 'not-a-dead-letter', status: 409 });
  }
}

/** Thrown when a later request of a user must not be retried because an earlier one was refused in the same call. */
export class EarlierRefusedError extends AppError {
  constructor(seq: number, earlier: number) {
    super(
      `Request ${seq} was not retried, because request ${earlier} of the same user was refused before it and must not be overtaken. ` +
        `Decide about request ${earlier} first.`,
      { code: 'earlier-refused', status: 409 },
    );
  }
}

/**
 * Thrown when tickets ended before all requests of a call were recorded: MongoDB is too slow for `gapTimeoutMs`, or other calls recorded
 * their keys. `refusal`: why the rest got no other ticket although the beginning is recorded.
 */
export class NotRecordedInTimeError extends AppError {
  constructor({
    tickets,
    refusal,
  }: { tickets: number; refusal?: undefined } | { tickets?: undefined; refusal: AppError }) {
    const what = refusal
      ? `Only the first requests of the call were recorded: ${refusal.message}`
      : `${tickets} tickets in a row ended before the requests of the call were recorded. MongoDB may be too slow.`;
    super(`${what} Try again, with the same keys.`, {
      code: 'not-recorded-in-time',
      status: 503,
      cause: refusal,
      retryAfterSeconds: refusal?.retryAfterSeconds ?? 1,
    });
  }
}

/** Thrown when nobody has this name, this reference or this id. */
export class NoSuchUserError extends AppError {
  constructor(text: string) {
    super(
      `There is no user ${JSON.stringify(text)}: no account has this name, and no user this reference or this id.`,
      {
        code: 'no-such-user',
        status: 404,
      },
    );
  }
}

/** Thrown when a text names more than one user. */
export class AmbiguousUserError extends AppError {
  constructor(text: string, matches: { is: string; userId: string }[]) {
    const named = matches.map(({ is, userId }) => `${JSON.stringify(`${is}:${text}`)} (id ${userId})`);
    super(`${JSON.stringify(text)} names more than one user. Send ${named.join(' or ')}, or \`id:\` and the id.`, {
      code: 'ambiguous-user',
      status: 409,
    });
  }
}
