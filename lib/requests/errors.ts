import { AppError } from '../errors.ts';

/** Thrown when the token's session has ended or expired. */
export class SessionEndedError extends AppError {
  constructor() {
    super('The session has ended. Log in again.', { code: 'session-ended', status: 401 });
  }
}

/** Thrown when a user has too many unsettled requests. */
export class TooManyPendingError extends AppError {
  constructor(pending: number, limit: number) {
    super(`${pending} requests are pending; at most ${limit} may be. Wait until some are settled, or cancel some.`, {
      code: 'too-many-pending',
      status: 429,
      retryable: true,
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
