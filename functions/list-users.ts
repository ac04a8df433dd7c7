import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { userCursorText, userQueryOf } from '../lib/http/user-list-input.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /users?show=&verdict=&lane=&name=&after=&limit=`: users and why they wait, those without progress for longest first. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(async (call) => {
  const { users, next } = await createOperations(call.deps).listUsers(userQueryOf(call));
  return jsonReply(200, { users, next: next && userCursorText(next) });
});
