/** What a client asks for in a message. Each action is the HTTP call of the same name, with the same input and the same answer. */
import { z } from 'zod';
import { liveUserQueue } from '../accounts/live-session.ts';
import type { Connection } from '../connection.ts';
import { maxCursorChars, readCursor } from '../events/cursor.ts';
import { batchOf } from '../http/batch-input.ts';
import { entryJson } from '../http/entry-json.ts';
import { showIn } from '../http/event-stream.ts';
import { enqueueOf, idempotencyKey, validate } from '../http/input.ts';
import type { Accepted } from '../requests/accept.ts';
import { createOperations } from '../requests/operations.ts';
import { userQueueOf } from '../requests/user-queue.ts';
import { readTraceparent } from '../traceparent.ts';
import type { UserQueue } from '../types.ts';
import { ReadOnlyConnectionError } from './errors.ts';
import type { SocketCall } from './socket-call.ts';
import { whoOf } from './who.ts';

const maxSeq = 999_999_999_999_999;
const seq = z.number().int().min(1).max(maxSeq);

const enqueueMessage = z.object({ key: idempotencyKey, traceparent: z.string().optional() });
const cancelMessage = z.object({ seq });
const isCursor = (text: string): boolean => text.length <= maxCursorChars && readCursor(text) !== undefined;
const subscribeMessage = z.object({
  after: z.string().refine(isCursor, 'must be the id of an event, or the number of a request, as a text').optional(),
  seq: seq.optional(),
});

/** `text` is the whole message, `json` is what it says. */
type Message = { text: string; json: unknown };

/** Returns the answer as JSON text. */
type Action = (call: SocketCall, connection: Connection, message: Message) => Promise<string>;

const nothing = '{}';

/** @throws {SessionEndedError} 401 */
const queueOf = ({ deps }: SocketCall, { id, userId, login }: Connection): Promise<UserQueue> =>
  login === undefined ? userQueueOf(userId, deps) : liveUserQueue({ userId, sessionId: id }, deps);

/** @throws {ReadOnlyConnectionError} 403 */
const mustHaveSession = ({ login }: Connection): void => {
  if (login === undefined) throw new ReadOnlyConnectionError();
};

const enqueue: Action = async (call, connection, { text, json }) => {
  mustHaveSession(connection);
  const { key, traceparent } = validate(enqueueMessage, json, 'message');
  const { deps } = call;
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const input = { deps, text, json, headers, traceparent: readTraceparent(traceparent) };
  const caller = { userId: connection.userId, sessionId: connection.id };
  const operations = createOperations(deps);
  const noted = (accepted: Accepted): Accepted => {
    call.seq = accepted.seq;
    return accepted;
  };
  const several = batchOf(input);
  if (several) return JSON.stringify({ results: (await operations.enqueueAll(caller, several)).map(noted) });
  return JSON.stringify(noted(await operations.enqueue(caller, enqueueOf(input))));
};

const cancel: Action = async (call, connection, { json }) => {
  mustHaveSession(connection);
  call.seq = validate(cancelMessage, json, 'message').seq;
  const { userId, settled } = await queueOf(call, connection);
  const entry = await createOperations(call.deps).cancel({ userId, seq: call.seq });
  return entryJson(entry, settled, call.deps.config);
};

const queue: Action = async (call, connection) =>
  JSON.stringify(await createOperations(call.deps).describe(await queueOf(call, connection)));

const subscribe: Action = async (call, connection, { json }) => {
  const subscription = validate(subscribeMessage, json, 'message');
  const cursor = subscription.after === undefined ? undefined : readCursor(subscription.after);
  const queue = await queueOf(call, connection);
  const { feed, config } = call.deps;
  const options = { who: whoOf(connection), queue, cursor, seq: subscription.seq, show: showIn(config) };
  await call.connections.subscribe(connection, subscription, (signal) => feed.open({ ...options, signal }));
  return nothing;
};

const unsubscribe: Action = async (call, connection) => {
  await call.connections.unsubscribe(connection);
  return nothing;
};

const ping: Action = async (call, connection) => {
  await call.connections.alive(connection);
  return nothing;
};

export const actions = { enqueue, cancel, queue, subscribe, unsubscribe, ping } satisfies Record<string, Action>;
