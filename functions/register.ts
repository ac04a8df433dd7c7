import { registerAccount } from '../lib/accounts/register.ts';
import { functionDeps } from '../lib/compose/functions.ts';
import { json } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxBodyBytes, newCredentialsOf } from '../lib/http/input.ts';

/** `POST /register {username, password}` */
export const handler = httpFunction(functionDeps, { body: { maxBytes: maxBodyBytes } }).handler(async (call) =>
  json(201, await registerAccount(newCredentialsOf(call), call.deps)),
);
