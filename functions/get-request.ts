import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { seqOf } from '../lib/http/input.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { waitOf } from '../lib/http/wait.ts';
import { lookUpRequest } from '../lib/requests/look-up.ts';

/** `GET /requests/{seq}` and `GET /users/{ref}/requests/{seq}`, with `?wait=seconds` once it is settled or the time is over. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const { entry, settled } = await lookUpRequest(call.userQueue, seqOf(call), waitOf(call), call.deps);
  return jsonTextReply(200, entryJson(entry, settled, exposureOf(call)));
});
