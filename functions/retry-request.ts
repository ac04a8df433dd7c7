import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply, jsonTextReply } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes, seqOf } from '../lib/http/input.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { retryRequest } from '../lib/requests/retry.ts';

/**
 * `POST /requests/{seq}/retry` and `POST /users/{ref}/requests/{seq}/retry`: runs a request again: in its place if it is blocked or waits for its next attempt, at the end of
 * the queue if it failed.
 */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes, optional: true },
  identity: 'session',
  forUsers: { scope: 'enqueue', operators: true },
}).handler(async (call) => {
  const retryOf = seqOf(call);
  const retried = await retryRequest({ ...call.caller, seq: retryOf }, call.deps);
  return retried.kind === 'in-place'
    ? jsonTextReply(200, entryJson(retried.entry, call.userQueue.settled, exposureOf(call)))
    : jsonReply(202, { ...retried.accepted, retryOf });
});
