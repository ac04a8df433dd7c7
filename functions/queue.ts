import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { shownError } from '../lib/http/shown-error.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /queue` and `GET /users/{ref}/queue`: the state of a user queue. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const { error, ...state } = await createOperations(call.deps).describe(call.userQueue);
  return jsonReply(200, { ...state, error: error && shownError(error, exposureOf(call)) });
});
