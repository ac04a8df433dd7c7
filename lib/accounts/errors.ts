import { AppError } from '../errors.ts';

/** Thrown when a user name is registered already, in whatever case. */
export class UsernameTakenError extends AppError {
  constructor() {
    super('This user name is taken. Choose another.', { code: 'username-taken', status: 409 });
  }
}

/** Thrown for an unknown user and for a wrong password alike, so that nobody learns which names exist. */
export class InvalidCredentialsError extends AppError {
  constructor() {
    super('The user name or the password is wrong.', { code: 'invalid-credentials', status: 401 });
  }
}

/** When one of many sessions ends nobody knows: to ask once a minute costs little. */
const sessionsRetrySeconds = 60;

/** Thrown when a user has as many live sessions as one may have. */
export class TooManySessionsError extends AppError {
  constructor(limit: number) {
    super(`At most ${limit} sessions may live at once. Disconnect one, or wait until one expires.`, {
      code: 'too-many-sessions',
      status: 429,
      retryAfterSeconds: sessionsRetrySeconds,
    });
  }
}

/** Thrown when a token is missing, malformed, expired, or not signed by us. */
export class InvalidTokenError extends AppError {
  constructor(message: string, code: 'missing-token' | 'invalid-token' | 'expired-token', cause?: unknown) {
    super(message, { code, status: 401, cause });
  }
}

/** Thrown when the account of the caller has not the role of an operator. */
export class NotAnOperatorError extends AppError {
  constructor() {
    super('This call is for operators.', { code: 'not-an-operator', status: 403 });
  }
}

/** Thrown when AWS Secrets Manager does not give the secret that signs tokens. */
export class SecretUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'secret-unavailable', status: 503, cause, retryAfterSeconds: 1 });
  }
}

/** Thrown when the token's session has ended or expired. */
export class SessionEndedError extends AppError {
  constructor() {
    super('The session has ended. Log in again.', { code: 'session-ended', status: 401 });
  }
}
