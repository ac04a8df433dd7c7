import type { CallContext, Middleware } from '../call.ts';

/** Tells the call what its host can do. Whatever the event itself says of that, the caller may have made up. */
export const withSignal = (): Middleware => ({
  before: ({ event, context }) => {
    const { callerGone, streams } = context as CallContext;
    event.signal = callerGone;
    event.streams = streams;
  },
});
