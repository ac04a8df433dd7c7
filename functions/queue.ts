import { functionDeps } from '../lib/compose/functions.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { queueReply } from '../lib/http/queue-reply.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /queue` and `GET /users/{ref}/queue`: the state of a user queue. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => queueReply(call, await createOperations(call.deps).describe(call.userQueue)));
