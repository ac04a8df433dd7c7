import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { pageJson } from '../lib/http/entry-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { pageOf, searchEnd } from '../lib/http/input.ts';
import { maxPageChars } from '../lib/http/page-text.ts';
import { exposureOf } from '../lib/http/user-route.ts';

/** `GET /requests?status=&after=&limit=` and `GET /users/{ref}/requests`: a page of the user's requests, by `seq`. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
}).handler(async (call) => {
  const query = pageOf(call);
  const { userId, settled, accepted } = call.userQueue;
  const upTo = searchEnd(query);
  const entries = await call.deps.ledger.page(userId, { ...query, upTo, maxChars: maxPageChars });
  return jsonTextReply(
    200,
    pageJson(entries, query.limit, settled, exposureOf(call), upTo < accepted ? upTo : undefined),
  );
});
