/**
 * Errors that a client can receive, and the two that mean "a server does not answer". The errors of a folder are in its own
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

/** Thrown when RabbitMQ cannot be reached or does not confirm a message in time. */
export class BrokerUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'broker-unavailable', status: 503, cause, retryAfterSeconds: 1 });
  }
}

/** Thrown when RabbitMQ refuses one queue or one message while it answers everything else. */
export class BrokerRefusedError extends BrokerUnavailableError {}
