import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { describeQueue } from '../lib/requests/look-up.ts';

/** `GET /queue` and `GET /users/{ref}/queue`: the state of a user queue. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => jsonReply(200, await describeQueue(call.userQueue, call.deps)));
