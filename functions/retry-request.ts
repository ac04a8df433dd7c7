import { functionDeps } from '../lib/compose/functions.ts';
import { json, jsonText } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxBodyBytes, seqOf } from '../lib/http/input.ts';
import { retryRequest } from '../lib/requests/retry.ts';

/** `POST /requests/{seq}/retry`: runs a blocked request again in its place, a failed one at the end of the queue. */
export const handler = httpFunction(functionDeps, {
  body: { maxBytes: maxBodyBytes, optional: true },
  identity: 'session',
}).handler(async (call) => {
  const retryOf = seqOf(call);
  const retried = await retryRequest({ ...call.identity, seq: retryOf }, call.deps);
  return retried.kind === 'in-place'
    ? jsonText(200, entryJson(retried.entry, call.userQueue.settled))
    : json(202, { ...retried.accepted, retryOf });
});
