import { readTraceparent, traceparentHeader } from '../../traceparent.ts';
import type { Middleware } from '../call.ts';

/** Reads the trace of the caller. A header that is no `traceparent` is ignored: the call does not fail because of it. */
export const traceCall = (): Middleware => ({
  before: ({ event }) => {
    event.traceparent = readTraceparent(event.headers[traceparentHeader]);
  },
});
