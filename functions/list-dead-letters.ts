import { functionDeps } from '../lib/compose/functions.ts';
import { jsonTextReply } from '../lib/http/call.ts';
import { deadLettersJson } from '../lib/http/dead-letter-json.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { deadLetterPageOf } from '../lib/http/operator-input.ts';
import { maxPageChars } from '../lib/http/page-text.ts';
import { listDeadLetters } from '../lib/requests/dead-letters.ts';

/** `GET /dead-letters?userId=&after=&limit=`: a page of dead letters, oldest first. */
export const handler = httpFunction(functionDeps, { identity: 'operator' }).handler(async (call) => {
  const query = deadLetterPageOf(call);
  return jsonTextReply(
    200,
    deadLettersJson(await listDeadLetters({ ...query, maxChars: maxPageChars }, call.deps), query.limit),
  );
});
