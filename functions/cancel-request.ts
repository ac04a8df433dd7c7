import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { seqOf } from '../lib/http/input.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { cancelRequest } from '../lib/requests/cancel.ts';

/** `DELETE /requests/{seq}` and `DELETE /users/{ref}/requests/{seq}`: cancels a request that has not started, or that waits for its next attempt. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'enqueue', operators: true },
}).handler(async (call) => {
  const entry = await cancelRequest({ userId: call.userQueue.userId, seq: seqOf(call) }, call.deps);
  return jsonTextReply(200, entryJson(entry, call.userQueue.settled, exposureOf(call)));
});
