import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { enqueueOf, maxEnqueueTextBytes } from '../lib/http/input.ts';
import { asSentFor } from '../lib/http/user-route.ts';
import { acceptRequest } from '../lib/requests/accept.ts';

/** `POST /enqueue {request}` and `POST /users/{ref}/enqueue`, optionally with an `Idempotency-Key`. Taking the ticket checks the session. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxEnqueueTextBytes },
  identity: 'token',
  forUsers: { scope: 'enqueue' },
}).handler(async (call) => {
  const { retry, ...accepted } = await acceptRequest({ ...call.caller, ...enqueueOf(call) }, call.deps);
  return jsonReply(202, { ...accepted, retry: retry && asSentFor(call, retry) });
});
