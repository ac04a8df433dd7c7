import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { wholeEntryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { includesRequest, seqOf } from '../lib/http/input.ts';
import { exposureOf, workersFor } from '../lib/http/user-route.ts';
import { waitOf } from '../lib/http/wait.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /requests/{seq}` and `GET /users/{ref}/requests/{seq}`, with `?wait=seconds` once it is settled or the time is over. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const { entry, settled } = await createOperations(call.deps).lookUp(call.userQueue, seqOf(call), waitOf(call));
  const whole = { workers: await workersFor(call), withRequest: includesRequest(call) };
  return jsonTextReply(200, wholeEntryJson(entry, settled, exposureOf(call), whole));
});
