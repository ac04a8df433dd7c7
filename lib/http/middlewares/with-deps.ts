import type { FunctionDeps } from '../../deps.ts';
import type { Middleware } from '../call.ts';

/** Gives the call its side effects; made at the first call, not at import, so that a cold start connects to nothing. */
export const withDeps = (deps: () => Promise<FunctionDeps>): Middleware => ({
  before: async ({ event }) => {
    event.deps = await deps();
  },
});
