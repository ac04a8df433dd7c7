import type { Wait } from '../long-polls.ts';
import type { Call } from './call.ts';
import { waitMsOf } from './input.ts';

/** How the call waits; `undefined` when it does not ask for it. @throws {InvalidRequestError} 400 */
export const waitOf = (call: Call): Wait | undefined => {
  const waitMs = waitMsOf(call);
  const { deps, identity, apiKey, signal } = call;
  const waiter = apiKey ? { keyId: apiKey.id } : identity;
  return waitMs > 0 ? deps.longPolls.waitOf({ ...waiter, waitMs, signal }) : undefined;
};
