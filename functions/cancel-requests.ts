import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { cancelSelected } from '../lib/http/cancel-selected.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes } from '../lib/http/input.ts';

/** `POST /requests/cancel {seqs | all, upTo?}` and `POST /users/{ref}/requests/cancel`: cancels several requests that wait. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes },
  identity: 'session',
  forUsers: { scope: 'enqueue', operators: true },
}).handler(async (call) => jsonReply(200, await cancelSelected(call)));
