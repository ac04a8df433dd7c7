import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { pageJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { pageOf } from '../lib/http/input.ts';
import { maxPageChars } from '../lib/http/page-text.ts';

/** `GET /requests?status=&after=&limit=`: a page of the user's requests, by `seq`. */
export const handler = httpFunction(functionDeps, { identity: 'session' }).handler(async (call) => {
  const query = pageOf(call);
  const entries = await call.deps.ledger.page(call.userQueue.userId, { ...query, maxChars: maxPageChars });
  return jsonTextReply(200, pageJson(entries, query.limit, call.userQueue.settled, call.deps.config));
});
