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

/** Thrown when AWS Secrets Manager does not return a usable secret for signing tokens. */
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
