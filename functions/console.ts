import { functionDeps } from '../lib/compose/functions.ts';
import { consoleFile } from '../lib/http/console.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { staticReply } from '../lib/http/static-file.ts';

/** `GET /console` and its two files: the pages for operators and users. */
export const handler = httpFunction(functionDeps).handler(async (call) => staticReply(call, await consoleFile(call)));
