import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `GET /livez`: this process answers. It asks no server. */
export const handler = httpFunction(functionDeps).handler(async () => jsonReply(200, { status: 'ok' }));
