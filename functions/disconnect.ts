import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes, pendingOf } from '../lib/http/input.ts';
import { waitOf } from '../lib/http/wait.ts';
import { disconnect } from '../lib/requests/disconnect.ts';

/** `POST /disconnect {pending?}?wait=seconds`. An ended session may call it too: repeating it is harmless. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes, optional: true },
  identity: 'token',
}).handler(async (call) => {
  const command = { ...call.identity, pending: pendingOf(call), wait: waitOf(call) };
  return jsonReply(200, { queue: await disconnect(command, call.deps) });
});
