import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes, seqOf } from '../lib/http/input.ts';
import { waitOf } from '../lib/http/wait.ts';
import { endRequest } from '../lib/requests/end.ts';
import { isSettled } from '../lib/types.ts';

/** `POST /users/{ref}/requests/{seq}/end`, with `?wait=seconds`: ends a run. 202 while it goes on. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes, optional: true },
  identity: 'operator',
}).handler(async (call) => {
  const { entry, settled } = await endRequest(
    { userId: call.caller.userId, seq: seqOf(call) },
    waitOf(call),
    call.deps,
  );
  return jsonTextReply(isSettled(entry) ? 200 : 202, entryJson(entry, settled, call.deps.config));
});
