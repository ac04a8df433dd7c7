import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { stuckLimitOf } from '../lib/http/operator-input.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /stuck?limit=`: users with pending requests and no progress, each with the reason. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(async (call) =>
  jsonReply(200, { stuck: await createOperations(call.deps).stuck(stuckLimitOf(call)) }),
);
