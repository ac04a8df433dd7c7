import { functionDeps } from '../lib/compose/functions.ts';
import { json } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxBodyBytes, pendingOf, waitMsOf } from '../lib/http/input.ts';
import { disconnect } from '../lib/requests/disconnect.ts';

/** `POST /disconnect {pending?}?wait=seconds`. A session that has ended may come again: repeating it is harmless. */
export const handler = httpFunction(functionDeps, {
  body: { maxBytes: maxBodyBytes, optional: true },
  identity: 'token',
}).handler(async (call) => {
  const command = { ...call.identity, pending: pendingOf(call), waitMs: waitMsOf(call) };
  return json(200, { queue: await disconnect(command, call.deps) });
});
