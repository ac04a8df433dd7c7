import { logIn } from '../lib/accounts/login.ts';
import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { addressOf, credentialsOf, maxTextBytes } from '../lib/http/input.ts';

/** `POST /login {username, password}`: opens a session. */
export const handler = httpFunction(functionDeps, { json: { maxBytes: maxTextBytes } }).handler(async (call) =>
  jsonReply(200, await logIn(credentialsOf(call), addressOf(call), call.deps)),
);
