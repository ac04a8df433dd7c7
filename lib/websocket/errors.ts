/** Errors of WebSocket connections. */
import { AppError } from '../errors.ts';

/** Thrown when a web page connects whose origin is not among `CORS_ORIGINS`. */
export class OriginNotAllowedError extends AppError {
  constructor() {
    super('Web pages of this origin may not connect (CORS_ORIGINS).', { code: 'origin-not-allowed', status: 403 });
  }
}

/** Thrown when the user has as many connections as it may have. */
export class TooManyConnectionsError extends AppError {
  constructor(limit: number) {
    super(`You have ${limit} connections already; no more are allowed. Close one of them.`, {
      code: 'too-many-connections',
      status: 429,
      retryAfterSeconds: 1,
    });
  }
}

/** Thrown when a connection that was opened with a stream token asks for more than to watch. */
export class ReadOnlyConnectionError extends AppError {
  constructor() {
    super('This connection only watches. Connect with the token from the login to enqueue or cancel.', {
      code: 'read-only-connection',
      status: 403,
    });
  }
}

/** Thrown when a message comes on a connection that is not known, because it has ended. */
export class ConnectionEndedError extends AppError {
  constructor() {
    super('The connection has ended. Connect again.', { code: 'connection-ended', status: 410 });
  }
}

/** Thrown where nothing posts events to connections. */
export class NoEventsError extends AppError {
  constructor() {
    super('This installation sends no events over WebSocket (WEBSOCKET_ENDPOINT). Call GET /events.', {
      code: 'no-events',
      status: 501,
      expose: true,
    });
  }
}

/** Thrown when a function is called with another event than that of a WebSocket API. The log says so, not the answer. */
export class BadSocketEventError extends AppError {
  constructor() {
    super('The event is not one of a WebSocket API: call the function through one.', {
      code: 'bad-event',
      status: 500,
    });
  }
}
