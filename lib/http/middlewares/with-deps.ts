import type { FunctionDeps } from '../../deps.ts';
import type { Middleware } from '../call.ts';

/** Gives the call its side effects. They are made at the first call and not at import, so a cold start opens no connection. */
export const withDeps = (deps: () => Promise<FunctionDeps>): Middleware => ({
  before: async ({ event }) => {
    event.deps = await deps();
  },
});
