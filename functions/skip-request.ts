import { functionDeps } from '../lib/compose/functions.ts';
import { jsonText } from '../lib/http/call.ts';
import { entryJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxBodyBytes, seqOf } from '../lib/http/input.ts';
import { skipRequest } from '../lib/requests/retry.ts';

/** `POST /requests/{seq}/skip`: passes a blocked request over. */
export const handler = httpFunction(functionDeps, {
  body: { maxBytes: maxBodyBytes, optional: true },
  identity: 'session',
}).handler(async (call) => {
  const entry = await skipRequest({ userId: call.userQueue.userId, seq: seqOf(call) }, call.deps);
  return jsonText(200, entryJson(entry, call.userQueue.settled));
});
