import type { Request } from '@middy/core';
import { createLogger } from '../../log.ts';
import type { Call, Middleware, Reply } from '../call.ts';
import { asAppError } from '../problem.ts';

/** For what fails before the configuration is read. */
const bareLogger = () => createLogger('info');

/** One line a request, and one more for an error that is ours. Never a body, a header or a query: they may hold secrets. */
export const requestLog = (): Middleware => {
  const started = new WeakMap<object, number>();

  const line = ({ event, response, error }: Request<Call, Reply>) => {
    const log = event.deps?.log ?? bareLogger();
    const startedAt = started.get(event) ?? performance.now();
    const status = response?.statusCode;
    if (error && (status ?? 500) >= 500) log.error({ err: error, route: event.routeKey }, 'a function failed');
    log.info(
      {
        method: event.requestContext?.http?.method,
        route: event.routeKey,
        status,
        ms: Math.round(performance.now() - startedAt),
        userId: event.identity?.userId ?? event.userQueue?.userId,
        code: error ? asAppError(error).code : undefined,
      },
      'http',
    );
  };

  return {
    before: ({ event }) => {
      started.set(event, performance.now());
    },
    after: line,
    onError: line,
  };
};
