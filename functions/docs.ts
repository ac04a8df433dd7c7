import { functionDeps } from '../lib/compose/functions.ts';
import { referenceFile } from '../lib/http/api-reference.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { staticReply } from '../lib/http/static-file.ts';

/** `GET /docs` and `GET /docs/reference.js`: the page that shows the description of the API, and its script. */
export const handler = httpFunction(functionDeps).handler(async (call) => staticReply(call, await referenceFile(call)));
