/**
 * Errors that a client can receive, those of calls that wait, and the two that mean "a server does not answer". The errors of a folder are in its own
 * errors.ts: lib/accounts, lib/http, lib/gateway and lib/requests. lib/http/problem.ts turns them into HTTP responses.
 */

export type AppErrorOptions = {
  /** Stable and public, such as `session-ended`. */
  code: string;
  /** The HTTP status. */
  status: number;
  /** Whether a client may see the message. By default only below status 500. */
  expose?: boolean;
  cause?: unknown;
  /** Set when the same call may succeed later. */
  retryAfterSeconds?: number;
};

/** For `retryAfterSeconds`: whole seconds, and at least one. */
export const inSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));

export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly expose: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: AppErrorOptions) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.status = options.status;
    this.expose = options.expose ?? options.status < 500;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Thrown when MongoDB cannot be reached or does not answer in time. */
export class StoreUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'store-unavailable', status: 503, cause, retryAfterSeconds: 1 });
  }
}

/** Thrown once this process has closed its connection to MongoDB: no later attempt succeeds. */
export class StoreClosedError extends StoreUnavailableError {}

/** Thrown when RabbitMQ cannot be reached or does not confirm a message in time. */
export class BrokerUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'broker-unavailable', status: 503, cause, retryAfterSeconds: 1 });
  }
}

/** Thrown when RabbitMQ refuses one queue or one message while it answers everything else. */
export class BrokerRefusedError extends BrokerUnavailableError {}

/** Thrown when a session, a user or an API key has as many waiting calls as it may have. */
export class TooManyPollsError extends AppError {
  constructor(whose: 'session' | 'user' | 'key', limit: number) {
    super(`${limit} calls of this ${whose} wait already; no more may. Let one of them end, or call without \`wait\`.`, {
      code: 'too-many-polls',
      status: 429,
      retryAfterSeconds: 1,
    });
  }
}

/** Thrown when a session, a user or an API key has as many streams of events as it may have. */
export class TooManyStreamsError extends AppError {
  constructor(whose: 'session' | 'user' | 'key', limit: number) {
    super(`This ${whose} has ${limit} streams of events already; no more may be open. Close one of them.`, {
      code: 'too-many-streams',
      status: 429,
      retryAfterSeconds: 1,
    });
  }
}

/** Thrown when this process does as much as it may. Another instance, or the same call a little later, may succeed. */
export class BusyError extends AppError {
  constructor(message: string) {
    super(message, { code: 'busy', status: 503, expose: true, retryAfterSeconds: 1 });
  }
}

/** Thrown when the caller has closed its connection: nobody receives an answer, and only the log shows this. */
export class CallerGoneError extends AppError {
  constructor() {
    super('The caller closed the connection.', { code: 'caller-gone', status: 499 });
  }
}

/** Thrown at start when the environment or an option is invalid. The message lists every validation error, one per line. */
export class ConfigError extends AppError {
  readonly validationErrors: readonly string[];

  constructor(validationErrors: string[], what = 'environment') {
    super(`Invalid ${what}:\n${validationErrors.map((error) => `  - ${error}`).join('\n')}`, {
      code: 'bad-config',
      status: 500,
    });
    this.validationErrors = validationErrors;
  }
}

/** Thrown when an index is missing without which a user name or an Idempotency-Key might be taken twice, or a login not be counted. */
export class NotMigratedError extends AppError {
  constructor(missing: string[]) {
    super(`The database lacks a unique index (${missing.join(', ')}). Run lanekeeper migrate.`, {
      code: 'not-migrated',
      status: 503,
      retryAfterSeconds: 10,
    });
  }
}
