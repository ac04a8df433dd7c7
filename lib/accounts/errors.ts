/** Errors of accounts, sessions, tokens and API keys. */
import { AppError, inSeconds } from '../errors.ts';
import type { KeyScope } from '../key-scopes.ts';

/** Thrown when the user name is registered already. Names that differ only in case are the same. */
export class UsernameTakenError extends AppError {
  constructor() {
    super('This user name is taken. Choose another one.', { code: 'username-taken', status: 409 });
  }
}

/** Thrown when nobody may register from outside. */
export class RegistrationClosedError extends AppError {
  constructor() {
    super('Registration is closed. Ask an operator for an account.', { code: 'registration-closed', status: 403 });
  }
}

/** Thrown when registration needs an invite, and the caller sent none or a wrong one. */
export class InvalidInviteError extends AppError {
  constructor() {
    super('Registration needs a valid invite. Send it as `invite` in the body.', {
      code: 'invalid-invite',
      status: 403,
    });
  }
}

/** Thrown when the password would be among the first guesses. */
export class WeakPasswordError extends AppError {
  constructor(reason: string) {
    super(`${reason} Choose another one.`, { code: 'weak-password', status: 400 });
  }
}

/** Thrown for an unknown user and for a wrong password, so that nobody learns which names exist. */
export class InvalidCredentialsError extends AppError {
  constructor() {
    super('The user name or the password is wrong.', { code: 'invalid-credentials', status: 401 });
  }
}

/** Thrown when one network has made as many logins or registrations as it may in a span of time. */
export class AddressLimitError extends AppError {
  constructor(what: string, { limit, seconds, msLeft }: { limit: number; seconds: number; msLeft: number }) {
    super(`Your address may make ${limit} ${what} in ${seconds} s. Try again in ${inSeconds(msLeft)} s.`, {
      code: 'too-many-calls',
      status: 429,
      retryAfterSeconds: inSeconds(msLeft),
    });
  }
}

/** Thrown when logins to the account have failed, and the caller must wait before the next one. The password was not checked. */
export class LoginDelayedError extends AppError {
  constructor(msLeft: number) {
    super(`Too many logins to this account have failed. Try again in ${inSeconds(msLeft)} s.`, {
      code: 'login-delayed',
      status: 429,
      retryAfterSeconds: inSeconds(msLeft),
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

/** Thrown when there is no key of this id and secret, or when the key has expired. */
export class InvalidKeyError extends AppError {
  constructor(expiredAt?: Date) {
    const why = expiredAt
      ? `expired at ${expiredAt.toISOString()}`
      : 'is not valid: there is no such key, or it was revoked';
    super(`The API key ${why}. Create another one with \`lanekeeper keys create\`.`, {
      code: 'invalid-key',
      status: 401,
    });
  }
}

/** Thrown when the key may not make this call. */
export class InsufficientScopeError extends AppError {
  constructor(needed: KeyScope, has: readonly KeyScope[]) {
    super(`This call needs a key with the scope ${needed}; yours has ${has.join(', ')}.`, {
      code: 'insufficient-scope',
      status: 403,
    });
  }
}

/** Thrown when a call about its own user came with an API key. */
export class KeyNotAcceptedError extends AppError {
  constructor() {
    super('This call needs the token of a session. With an API key, call `/users/{ref}/…` in its place.', {
      code: 'key-not-accepted',
      status: 403,
    });
  }
}

/** Thrown when a call for a user of a back end came with the token of a session. */
export class KeyRequiredError extends AppError {
  constructor() {
    super('This call needs an API key. Send it as `Authorization: Bearer lk_…`.', {
      code: 'key-required',
      status: 403,
    });
  }
}

/** Thrown when a key makes more calls than its rate allows. */
export class KeyRateError extends AppError {
  constructor(ratePerSecond: number, waitMs: number) {
    super(`This key may make ${ratePerSecond} calls per second. Send this one again later.`, {
      code: 'key-rate-exceeded',
      status: 429,
      retryAfterSeconds: inSeconds(waitMs),
    });
  }
}
