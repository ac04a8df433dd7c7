import { AppError } from '../errors.ts';

/** Thrown when the path, the query, a header or the body is not what the call asks for. */
export class InvalidRequestError extends AppError {
  constructor(message: string, code: 'invalid-request' | 'invalid-json' = 'invalid-request') {
    super(message, { code, status: 400 });
  }
}

/** Thrown when a body, or the request in it, has too many bytes. */
export class RequestTooLargeError extends AppError {
  constructor(what: string, limitBytes: number) {
    super(`${what} may have at most ${limitBytes} bytes.`, { code: 'request-too-large', status: 413 });
  }
}
