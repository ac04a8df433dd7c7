import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes, seqOf } from '../lib/http/input.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { skipRequest } from '../lib/requests/retry.ts';

/** `POST /requests/{seq}/skip` and `POST /users/{ref}/requests/{seq}/skip`: settles a request as failed that is blocked or waits for its next attempt. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes, optional: true },
  identity: 'session',
  forUsers: { scope: 'enqueue', operators: true },
}).handler(async (call) => {
  const entry = await skipRequest({ userId: call.userQueue.userId, seq: seqOf(call) }, call.deps);
  return jsonTextReply(200, entryJson(entry, call.userQueue.settled, exposureOf(call)));
});
