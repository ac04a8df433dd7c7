import { functionDeps } from '../lib/compose/functions.ts';
import { apiDescription } from '../lib/http/api-reference.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { staticReply } from '../lib/http/static-file.ts';

/** `GET /openapi.json`: the description of the API. */
export const handler = httpFunction(functionDeps).handler(async (call) => staticReply(call, await apiDescription()));
