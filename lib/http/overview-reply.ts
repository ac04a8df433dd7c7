/** The overview as the answer to a call: a stream, or one page that may wait for a change. */
import { z } from 'zod';
import { type Call, jsonTextReply, type Reply } from './call.ts';
import { streamReply, streamTimes, wantsStream } from './event-stream.ts';
import { validate, waitQuery } from './input.ts';

export const overviewQuery = waitQuery.extend({
  after: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'The `version` that the client has: with `wait`, the call waits for another one.' }),
});

/** Where the host cannot stream, a page answers a call for a stream too. @throws as `SnapshotFeed` */
export const overviewReply = async (call: Call): Promise<Reply> => {
  const { deps, identity, apiKey, signal } = call;
  const { after: known, wait } = validate(overviewQuery, call.queryStringParameters ?? {}, 'query');
  const options = { who: apiKey ? { keyId: apiKey.id } : identity, known, signal };
  if (wantsStream(call)) return streamReply(await deps.overviews.open({ ...options, ...streamTimes(deps.config) }));
  const { json } =
    wait > 0 ? await deps.overviews.take({ ...options, waitMs: wait * 1_000 }) : await deps.overviews.now();
  return jsonTextReply(200, json);
};
