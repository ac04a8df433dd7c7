import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { describeQueue } from '../lib/requests/look-up.ts';

/** `GET /queue`: the state of the caller's user queue. */
export const handler = httpFunction(functionDeps, { identity: 'session' }).handler(async (call) =>
  jsonReply(200, await describeQueue(call.userQueue, call.deps)),
);
