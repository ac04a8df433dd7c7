import { functionDeps } from '../lib/compose/functions.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { overviewReply } from '../lib/http/overview-reply.ts';

/** `GET /overview?after=&wait=`: what is wrong, the lanes and workers, and the last hour; as a stream, or as a page after `?wait=seconds`. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(overviewReply);
