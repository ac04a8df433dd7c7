import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { pageJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { pageOf } from '../lib/http/input.ts';
import { maxPageChars } from '../lib/http/page-text.ts';
import { exposureOf } from '../lib/http/user-route.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /requests?status=&after=&limit=` and `GET /users/{ref}/requests`: a page of the user's requests, by `seq`. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const query = pageOf(call);
  const operations = createOperations(call.deps);
  const { entries, searched } = await operations.list(call.userQueue, { ...query, maxChars: maxPageChars });
  return jsonTextReply(200, pageJson(entries, query.limit, call.userQueue.settled, exposureOf(call), searched));
});
