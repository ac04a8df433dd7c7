/** Errors of any HTTP call, whatever it asks for. */
import { AppError } from '../errors.ts';

/** Thrown when the path, the query, a header or the HTTP body is invalid. */
export class InvalidRequestError extends AppError {
  constructor(message: string, code: 'invalid-request' | 'invalid-json' = 'invalid-request', cause?: unknown) {
    super(message, { code, status: 400, cause });
  }
}

/** Thrown when an HTTP body, or the request in it, is too large. */
export class RequestTooLargeError extends AppError {
  constructor(what: string, limitBytes: number) {
    super(`${what} may have at most ${limitBytes} bytes.`, { code: 'request-too-large', status: 413 });
  }
}

/** Thrown when the Content-Type names a charset other than UTF-8. */
export class UnsupportedCharsetError extends AppError {
  constructor() {
    super('Send the body as UTF-8.', { code: 'unsupported-charset', status: 415 });
  }
}

/** Thrown when a function is called with another event than that of an HTTP API with payload 2.0. The log says so, not the answer. */
export class BadEventError extends AppError {
  constructor(version: unknown) {
    const seen =
      typeof version === 'string' && /^[\d.]{1,10}$/.test(version) ? `version ${version}` : 'without a version';
    const advice = 'Call the function through an HTTP API (not a REST API), with PayloadFormatVersion 2.0.';
    super(`The event is not one of an HTTP API with payload format 2.0 (it is ${seen}). ${advice}`, {
      code: 'bad-event',
      status: 500,
    });
  }
}

/** Thrown when no route has the path of the call. */
export class NoSuchRouteError extends AppError {
  constructor() {
    super('No such route.', { code: 'not-found', status: 404 });
  }
}
