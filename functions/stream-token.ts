import { signStreamToken, streamTokenSeconds } from '../lib/accounts/stream-tokens.ts';
import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `POST /stream-token` and `POST /users/{ref}/stream-token`: a token with which a browser may connect to the events of the user, and do nothing else. */
export const handler = httpFunction(functionDeps, { identity: 'session', forUsers: { scope: 'read' } }).handler(
  async ({ deps, identity, apiKey, userQueue: { userId } }) => {
    const holder = apiKey ? { userId, keyId: apiKey.id } : identity;
    return jsonReply(200, { token: signStreamToken(holder, deps), expiresInSeconds: streamTokenSeconds });
  },
);
