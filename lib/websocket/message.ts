/** `$default`: answers a message `{id, action, …}` with `{id, ok}`. */
import { z } from 'zod';
import type { Reply } from '../http/call.ts';
import { validate } from '../http/input.ts';
import { parseText } from '../http/middlewares/parse-json.ts';
import { actions } from './actions.ts';
import { ConnectionEndedError } from './errors.ts';
import type { SocketCall } from './socket-call.ts';

const names = Object.keys(actions) as (keyof typeof actions)[];

const messageId = z.union(
  [z.string().max(64), z.number().int()],
  'must be a whole number, or a text of at most 64 characters',
);

const envelope = z.object({
  id: messageId,
  action: z.enum(names, `must be one of ${names.join(', ')}`),
});

/** A problem names the message even when the rest of it is wrong. */
const idOf = (json: unknown): string | number | undefined => messageId.safeParse(Object(json).id).data;

/** A text frame, which API Gateway sends as the answer too. */
export const frameReply = (frame: string): Reply => ({ statusCode: 200, body: frame });

/** @throws {InvalidRequestError} 400; {ConnectionEndedError} 410; and what the action throws */
export const answerMessage = async (call: SocketCall): Promise<Reply> => {
  const text = call.body ?? '';
  const json = parseText(text, 'message');
  call.messageId = idOf(json);
  const { id, action } = validate(envelope, json, 'message');
  call.action = action;
  call.connection = await call.connections.find(call.requestContext.connectionId);
  if (!call.connection) throw new ConnectionEndedError();
  const ok = await actions[action](call, call.connection, { text, json });
  return frameReply(`{"id":${JSON.stringify(id)},"ok":${ok}}`);
};
