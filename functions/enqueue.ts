import { functionDeps } from '../lib/compose/functions.ts';
import { json } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { enqueueOf, maxEnqueueBytes } from '../lib/http/input.ts';
import { acceptRequest } from '../lib/requests/accept.ts';

/** `POST /enqueue {request}`, optionally with an `Idempotency-Key`. The ticket checks the session. */
export const handler = httpFunction(functionDeps, {
  body: { maxBytes: maxEnqueueBytes },
  identity: 'token',
}).handler(async (call) => json(202, await acceptRequest({ ...call.identity, ...enqueueOf(call) }, call.deps)));
