import type { CallContext, Middleware } from '../call.ts';

/** Gives the call the signal of our gateway. Whatever `signal` the event itself has, the caller may have made up. */
export const withSignal = (): Middleware => ({
  before: ({ event, context }) => {
    event.signal = (context as CallContext).callerGone;
  },
});
