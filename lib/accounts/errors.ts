/** Errors of accounts, sessions and tokens. */
import { AppError } from '../errors.ts';

/** Thrown when the user name is registered already. Names that differ only in case are the same. */
export class UsernameTakenError extends AppError {
  constructor() {
    super('This user name is taken. Choose another one.', { code: 'username-taken', status: 409 });
  }
}

/** Thrown for an unknown user and for a wrong password, so that nobody learns which names exist. */
export class InvalidCredentialsError extends AppError {
  constructor() {
    super('The user name or the password is wrong.', { code: 'invalid-credentials', status: 401 });
  }
}

/** Nobody knows when one of the sessions will end, and trying again once a minute costs little. */
const sessionsRetrySeconds = 60;

/** Thrown when a user already has `limit` live sessions. */
export class TooManySessionsError extends AppError {
  constructor(limit: number) {
    super(`You already have ${limit} live sessions, the maximum. Disconnect one, or wait until one expires.`, {
      code: 'too-many-sessions',
      status: 429,
      retryAfterSeconds: sessionsRetrySeconds,
    });
  }
}

/** Thrown when the token is missing, malformed, expired, or not signed with our secret. */
export class InvalidTokenError extends AppError {
  constructor(message: string, code: 'missing-token' | 'invalid-token' | 'expired-token', cause?: unknown) {
    super(message, { code, status: 401, cause });
  }
}

/** Thrown when the caller's account does not have the operator role. */
export class NotAnOperatorError extends AppError {
  constructor() {
    super('Only operators may make this call.', { code: 'not-an-operator', status: 403 });
  }
}

/** Thrown when the token's session has ended or expired. */
export class SessionEndedError extends AppError {
  constructor() {
    super('The session has ended. Log in again.', { code: 'session-ended', status: 401 });
  }
}
