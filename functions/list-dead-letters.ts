import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { deadLettersJson } from '../lib/http/dead-letter-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { deadLetterPageOf } from '../lib/http/operator-input.ts';
import { maxPageChars } from '../lib/http/page-text.ts';
import { findUser } from '../lib/requests/find-user.ts';
import { createOperations } from '../lib/requests/operations.ts';

/** `GET /dead-letters?user=&reason=&after=&limit=`: a page of dead letters, oldest first. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(async (call) => {
  const { user, ...query } = deadLetterPageOf(call);
  const userId = user === undefined ? undefined : await findUser(user, call.deps);
  const page = await createOperations(call.deps).deadLetters({ ...query, userId, maxChars: maxPageChars });
  return jsonTextReply(200, deadLettersJson(page, query.limit));
});
