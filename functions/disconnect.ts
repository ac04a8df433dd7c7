import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes, pendingOf } from '../lib/http/input.ts';
import { waitOf } from '../lib/http/wait.ts';
import { permanentSession } from '../lib/references.ts';
import { disconnect } from '../lib/requests/disconnect.ts';

/** `POST /disconnect {pending?}?wait=seconds` and `POST /users/{ref}/disconnect`. An ended session may call it too: repeating it is harmless. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes, optional: true },
  identity: 'token',
  forUsers: { scope: 'enqueue' },
}).handler(async (call) => {
  const { userId, sessionId = permanentSession.id } = call.caller;
  const command = { userId, sessionId, pending: pendingOf(call), wait: waitOf(call) };
  return jsonReply(200, { queue: await disconnect(command, call.deps) });
});
