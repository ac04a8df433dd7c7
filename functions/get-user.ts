import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { shownError } from '../lib/http/shown-error.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /users/{ref}`: all about one user: why it waits, who owns its lane, and what runs. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const { error, ...state } = await createOperations(call.deps).describeUser(call.userQueue);
  return jsonReply(200, { ...state, error: error && shownError(error, exposureOf(call)) });
});
