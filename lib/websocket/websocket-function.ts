import middy from '@middy/core';
import { SessionEndedError } from '../accounts/errors.ts';
import type { FunctionDeps } from '../deps.ts';
import type { Reply } from '../http/call.ts';
import { problemReply } from '../http/problem.ts';
import { callLine } from './call-line.ts';
import { openConnection } from './connect.ts';
import { closeConnection } from './disconnect.ts';
import { BadSocketEventError } from './errors.ts';
import { answerMessage, frameReply } from './message.ts';
import type { SocketCall, SocketContext, SocketMiddleware } from './socket-call.ts';

const answers = { CONNECT: openConnection, MESSAGE: answerMessage, DISCONNECT: closeConnection };

/** @throws {BadSocketEventError} 500 */
const checkEvent = (): SocketMiddleware => ({
  before: ({ event }) => {
    const { eventType, connectionId } = Object(Object(event).requestContext) as Partial<SocketCall['requestContext']>;
    if (!Object.hasOwn(answers, String(eventType)) || typeof connectionId !== 'string') throw new BadSocketEventError();
  },
});

/** Whatever of this the event itself has, somebody has made up. */
const withDeps = (deps: () => Promise<FunctionDeps>): SocketMiddleware => ({
  before: async ({ event, context }) => {
    for (const claim of ['connection', 'messageId', 'action', 'seq'] as const) delete event[claim];
    event.deps = await deps();
    event.connections = (context as SocketContext).connections ?? event.deps.connections;
  },
});

/** A message is answered with a frame, whatever happens; a call that connects, like a call over HTTP. */
const problems = (): SocketMiddleware => ({
  onError: async (request) => {
    const { event, error } = request;
    const reply = problemReply(error);
    if (Object(event?.requestContext).eventType !== 'MESSAGE') {
      request.response = reply;
      return;
    }
    const seconds = reply.headers?.['retry-after'];
    const problem = { ...JSON.parse(reply.body ?? '{}'), ...(seconds && { retryAfterSeconds: Number(seconds) }) };
    request.response = frameReply(JSON.stringify({ id: event.messageId, problem }));
    if (event.connection && error instanceof SessionEndedError) await event.connections.ended(event.connection);
  },
});

/** The function of all three routes of the WebSocket API. */
export const websocketFunction = (deps: () => Promise<FunctionDeps>) =>
  middy<SocketCall, Reply>()
    .use([callLine(), problems(), checkEvent(), withDeps(deps)])
    .handler((call) => answers[call.requestContext.eventType](call));
