import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes, seqOf } from '../lib/http/input.ts';
import { waitOf } from '../lib/http/wait.ts';
import { createOperations } from '../lib/requests/operations.ts';
import { isSettled } from '../lib/types.ts';

/** `POST /users/{ref}/requests/{seq}/end`, with `?wait=seconds`: ends a run. 202 while it goes on. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes, optional: true },
  identity: 'operator',
}).handler(async (call) => {
  const id = { userId: call.caller.userId, seq: seqOf(call) };
  const { entry, settled } = await createOperations(call.deps).end(id, waitOf(call));
  return jsonTextReply(isSettled(entry) ? 200 : 202, entryJson(entry, settled, { exposeErrors: 'all' }));
});
