import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { enqueueOf, maxEnqueueTextBytes } from '../lib/http/input.ts';
import { acceptRequest } from '../lib/requests/accept.ts';

/** `POST /enqueue {request}`, optionally with an `Idempotency-Key`. Taking the ticket checks the session. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxEnqueueTextBytes },
  identity: 'token',
}).handler(async (call) => jsonReply(202, await acceptRequest({ ...call.identity, ...enqueueOf(call) }, call.deps)));
