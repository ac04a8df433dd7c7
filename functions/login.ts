import { logIn } from '../lib/accounts/login.ts';
import { functionDeps } from '../lib/compose/functions.ts';
import { json } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { credentialsOf, maxBodyBytes } from '../lib/http/input.ts';

/** `POST /login {username, password}` */
export const handler = httpFunction(functionDeps, { body: { maxBytes: maxBodyBytes } }).handler(async (call) =>
  json(200, await logIn(credentialsOf(call), call.deps)),
);
