import { registerAccount } from '../lib/accounts/register.ts';
import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { addressOf, maxTextBytes, newCredentialsOf } from '../lib/http/input.ts';

/** `POST /register {username, password}`: creates an account. */
export const handler = httpFunction(functionDeps, { json: { maxBytes: maxTextBytes } }).handler(async (call) =>
  jsonReply(201, await registerAccount(newCredentialsOf(call), addressOf(call), call.deps)),
);
