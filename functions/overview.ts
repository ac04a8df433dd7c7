import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /overview`: what is wrong, the lanes and workers, and how long requests waited in the last hour. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(async ({ deps }) =>
  jsonReply(200, await createOperations(deps).overview()),
);
