import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { describeLanes } from '../lib/requests/lanes.ts';

/** `GET /lanes`: who owns each lane since when, and how lanes moved in the last hour. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(async ({ deps }) =>
  jsonReply(200, await describeLanes(deps)),
);
