import { functionDeps } from '../lib/compose/functions.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { queueReply } from '../lib/http/queue-reply.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /users/{ref}`: all about one user: why it waits, who owns its lane, and what runs. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => queueReply(call, await createOperations(call.deps).describeUser(call.userQueue)));
