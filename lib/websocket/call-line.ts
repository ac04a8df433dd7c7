import type { Request } from '@middy/core';
import type { Reply } from '../http/call.ts';
import { writeCallLine } from '../http/call-line.ts';
import { asAppError } from '../http/problem.ts';
import { createLogger, type Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import type { SocketCall, SocketMiddleware } from './socket-call.ts';

let bareLogger: Logger | undefined;

/** For a call that fails before the configuration is read. */
const logWithoutDeps = (): Logger => {
  bareLogger ??= createLogger('info');
  return bareLogger;
};

/** Each message is a call of its own, and so are the beginning and the end of a connection. */
const routeOf = ({ requestContext, action }: Partial<SocketCall>): string =>
  `WS ${action ?? { CONNECT: 'connect', DISCONNECT: 'disconnect', MESSAGE: 'message' }[requestContext?.eventType ?? 'MESSAGE']}`;

/** Logs each call in one line like those over HTTP, and an internal error in one more. */
export const callLine = (): SocketMiddleware => {
  const startedAt = new WeakMap<object, number>();

  const write = async (request: Request<SocketCall, Reply>): Promise<void> => {
    const { error } = request;
    const event: Partial<SocketCall> = Object(request.event);
    const log = event.deps?.log ?? logWithoutDeps();
    const status = error ? asAppError(error).status : 200;
    const route = routeOf(event);
    const fields = { err: error, route };
    if (error && status === 503) logSampled(log, 'error', fields, `function failed: ${asAppError(error).code}`);
    else if (error && status >= 500) log.error(fields, 'function failed');
    const userId = event.connection?.userId;
    const call = {
      method: 'WS',
      path: '/ws',
      status,
      startedAt: startedAt.get(request) ?? performance.now(),
      route,
      userId,
      seq: event.seq,
      address: userId === undefined ? event.requestContext?.identity?.sourceIp : undefined,
      code: error ? asAppError(error).code : undefined,
    };
    writeCallLine(log, call, event.deps?.config.emfNamespace);
    await event.deps?.tracing?.callEnded();
  };

  return {
    before: (request) => {
      startedAt.set(request, performance.now());
    },
    after: write,
    onError: write,
  };
};
