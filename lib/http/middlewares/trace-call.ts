import { readTraceparent, traceparentHeader } from '../../traceparent.ts';
import type { Middleware } from '../call.ts';

/**
 * Reads the trace of the caller, and starts the span of the call where spans are made; `callLog` ends it. A header that is no
 * `traceparent` is ignored: the call does not fail because of it.
 */
export const traceCall = (): Middleware => ({
  before: ({ event }) => {
    const parent = readTraceparent(event.headers[traceparentHeader]);
    const attributes = { 'http.request.method': event.requestContext.http.method, 'http.route': event.routeKey };
    event.span = event.deps.tracing?.start(event.routeKey, { kind: 'server', parent, attributes });
    event.traceparent = event.span?.traceparent ?? parent;
  },
});
