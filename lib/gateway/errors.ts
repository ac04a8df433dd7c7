/** What the gateway itself refuses, before a function is called. The body's size and encoding are API Gateway's limits too. */
import { AppError } from '../errors.ts';

/** Thrown when the path exists, but not with this method. */
export class MethodNotAllowedError extends AppError {
  readonly allowed: string[];
  constructor(allowed: string[]) {
    super(`Only ${allowed.join(' and ')} ${allowed.length === 1 ? 'is' : 'are'} allowed.`, {
      code: 'method-not-allowed',
      status: 405,
    });
    this.allowed = allowed;
  }
}

/** Thrown when the HTTP body has a Content-Encoding. */
export class UnsupportedEncodingError extends AppError {
  constructor() {
    super('Send the body without a Content-Encoding.', { code: 'unsupported-encoding', status: 415 });
  }
}

/** Thrown when the API is stopping. Another instance can take the call. */
export class DrainingError extends AppError {
  constructor() {
    super('This instance is stopping. Send the call again.', { code: 'draining', status: 503, retryAfterSeconds: 1 });
  }
}
