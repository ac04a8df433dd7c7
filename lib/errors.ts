/**
 * Errors by what the caller should do. `code` is stable and public; `status` is its HTTP status; `retryable` says whether
 * the same call may succeed later; `expose` says whether the message may be shown to a client.
 */
export type AppErrorOptions = {
  code: string;
  status: number;
  retryable?: boolean;
  expose?: boolean;
  cause?: unknown;
  retryAfterSeconds?: number;
};

export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly expose: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: AppErrorOptions) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.status = options.status;
    this.retryable = options.retryable ?? false;
    this.expose = options.expose ?? options.status < 500;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Thrown when MongoDB cannot be reached or does not answer in time. */
export class StoreUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'store-unavailable', status: 503, retryable: true, cause, retryAfterSeconds: 1 });
  }
}

/** Thrown when RabbitMQ cannot be reached or does not confirm in time. */
export class BrokerUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'broker-unavailable', status: 503, retryable: true, cause, retryAfterSeconds: 1 });
  }
}
