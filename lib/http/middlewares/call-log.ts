import type { Request } from '@middy/core';
import { createLogger, type Logger } from '../../log.ts';
import { logSampled } from '../../log-sampled.ts';
import { traceIdOf } from '../../traceparent.ts';
import type { Span } from '../../tracing.ts';
import type { Call, Middleware, Reply } from '../call.ts';
import { type LoggedCall, loggablePath, writeCallLine } from '../call-line.ts';
import { asAppError } from '../problem.ts';

let bareLogger: Logger | undefined;

/** For a call that fails before the configuration is read. One for all such calls: repeated lines are counted for each logger. */
const logWithoutDeps = (): Logger => {
  bareLogger ??= createLogger('info');
  return bareLogger;
};

const pathOf = ({ routeKey, rawPath }: Partial<Call>): string => {
  // An event that `checkEvent` refuses may have neither.
  if (typeof routeKey !== 'string' || typeof rawPath !== 'string') return '*';
  const template = routeKey.slice(routeKey.indexOf(' ') + 1);
  // API Gateway puts the name of a stage, other than $default, before the path.
  return loggablePath(template, rawPath) ?? template;
};

/** Without a check, since a call with a bad path is logged too. */
const seqOf = ({ enqueued, pathParameters }: Partial<Call>): number | undefined =>
  enqueued ?? (/^\d{1,15}$/.test(pathParameters?.seq ?? '') ? Number(pathParameters?.seq) : undefined);

const endSpan = (span: Span | undefined, { status = 500, userId, seq, code }: Partial<LoggedCall>): void => {
  const attributes = {
    'http.response.status_code': status,
    ...(userId !== undefined && { 'lanekeeper.user_id': userId }),
    ...(seq !== undefined && { 'lanekeeper.seq': seq }),
    ...(code !== undefined && { 'error.type': code }),
  };
  span?.end({ attributes, ...(status >= 500 && { failure: code ?? 'internal-error' }) });
};

/** Logs each call in one line, and an internal error in one more. */
export const callLog = (): Middleware => {
  const startedAt = new WeakMap<object, number>();

  const write = (request: Request<Call, Reply>) => {
    const { response, error } = request;
    // Whoever calls a function without a gateway may send anything.
    const event: Partial<Call> = Object(request.event);
    const log = event.deps?.log ?? logWithoutDeps();
    const status = response?.statusCode;
    const fields = { err: error, route: event.routeKey };
    // While a server is away every call fails with 503.
    if (error && status === 503) logSampled(log, 'error', fields, `function failed: ${asAppError(error).code}`);
    else if (error && (status ?? 500) >= 500) log.error(fields, 'function failed');
    const userId = event.identity?.userId ?? event.caller?.userId;
    const about = event.caller?.userId;
    const call = {
      method: event.requestContext?.http?.method,
      path: pathOf(event),
      status,
      startedAt: startedAt.get(request) ?? performance.now(),
      route: event.routeKey,
      userId,
      seq: seqOf(event),
      trace: traceIdOf(event.traceparent),
      about: about === userId ? undefined : about,
      key: event.apiKey?.id,
      address: userId === undefined && !event.apiKey ? event.requestContext?.http?.sourceIp : undefined,
      code: error ? asAppError(error).code : undefined,
    };
    writeCallLine(log, call, event.deps?.config.emfNamespace);
    endSpan(event.span, call);
  };

  /** Resolves to nothing: Middy would take a value for the reply, and call no other middleware. */
  const end = async (request: Request<Call, Reply>): Promise<void> => {
    write(request);
    await (Object(request.event) as Partial<Call>).deps?.tracing?.callEnded();
  };

  return {
    before: (request) => {
      startedAt.set(request, performance.now());
    },
    after: end,
    onError: end,
  };
};
