import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { entryJson, wholeEntryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { includesRequest, seqOf } from '../lib/http/input.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { waitOf } from '../lib/http/wait.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /requests/{seq}` and `GET /users/{ref}/requests/{seq}`, with `?wait=seconds` once it is settled or the time is over. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const json = includesRequest(call) ? wholeEntryJson : entryJson;
  const { entry, settled } = await createOperations(call.deps).lookUp(call.userQueue, seqOf(call), waitOf(call));
  return jsonTextReply(200, json(entry, settled, exposureOf(call)));
});
