import { AppError } from '../errors.ts';

/** Thrown when a user has too many unsettled requests. */
export class TooManyPendingError extends AppError {
  constructor(pending: number, limit: number) {
    super(`${pending} requests are pending; at most ${limit} may be. Wait until some are settled, or cancel some.`, {
      code: 'too-many-pending',
      status: 429,
      retryAfterSeconds: 1,
    });
  }
}

/** Thrown when an Idempotency-Key comes again with another body. */
export class IdempotencyKeyReusedError extends AppError {
  constructor(seq: number) {
    super(`This Idempotency-Key belongs to request ${seq}, which has another body. Use a new key.`, {
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

/** Thrown when a request that is to be cancelled has started, or is settled. */
export class NotCancellableError extends AppError {
  constructor(seq: number, status: string) {
    super(`Request ${seq} is ${status}; only what is queued can be cancelled.`, {
      code: 'not-cancellable',
      status: 409,
    });
  }
}

/** Thrown when a request that is to run again is neither blocked nor a dead letter. */
export class NotRetryableError extends AppError {
  constructor(seq: number, why: string) {
    super(`Request ${seq} cannot be retried: ${why}.`, { code: 'not-retryable', status: 409 });
  }
}

/** Thrown when a request that is to be passed over does not hold its user. */
export class NotBlockedError extends AppError {
  constructor(seq: number, status: string) {
    super(`Request ${seq} is ${status}; only what is blocked can be skipped.`, { code: 'not-blocked', status: 409 });
  }
}

/** Thrown when a request that is to be dropped is not among the dead letters. */
export class NotDeadLetterError extends AppError {
  constructor(seq: number) {
    super(`Request ${seq} is no dead letter.`, { code: 'not-a-dead-letter', status: 409 });
  }
}

/** Thrown when tombstones came before the record each time: MongoDB is too slow for `gapTimeoutMs`. */
export class NotRecordedInTimeError extends AppError {
  constructor(tickets: number) {
    super(`${tickets} tickets in a row were given up before the request could be recorded. Try again.`, {
      code: 'not-recorded-in-time',
      status: 503,
      retryAfterSeconds: 1,
    });
  }
}
