import { functionDeps } from '../lib/compose/functions.ts';
import { batchOf } from '../lib/http/batch-input.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { enqueueOf, maxEnqueueTextBytes } from '../lib/http/input.ts';
import { asSentFor } from '../lib/http/user-route.ts';
import type { Accepted } from '../lib/requests/accept.ts';
import { createOperations } from '../lib/requests/operations.ts';

/**
 * `POST /enqueue {request}` and `POST /users/{ref}/enqueue`, optionally with an `Idempotency-Key`, or `{requests}` for several. Taking
 * the ticket checks the session.
 */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxEnqueueTextBytes },
  identity: 'token',
  forUsers: { scope: 'enqueue' },
}).handler(async (call) => {
  const operations = createOperations(call.deps);
  const shown = ({ retry, ...accepted }: Accepted) => {
    call.enqueued = accepted.seq;
    return { ...accepted, retry: retry && asSentFor(call, retry) };
  };
  const several = batchOf(call);
  if (several) return jsonReply(202, { results: (await operations.enqueueAll(call.caller, several)).map(shown) });
  return jsonReply(202, shown(await operations.enqueue(call.caller, enqueueOf(call))));
});
