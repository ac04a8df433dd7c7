import { endOtherSessions } from '../lib/accounts/end-sessions.ts';
import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `DELETE /sessions`: ends all sessions of the user but the caller's. */
export const handler = httpFunction(functionDeps, { identity: 'session' }).handler(async (call) =>
  jsonReply(200, { ended: await endOtherSessions(call.identity, call.userQueue, call.deps) }),
);
