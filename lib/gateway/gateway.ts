/** Our own API Gateway, on Express: it calls the same functions with the same events, for containers and `npm start`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { CallContext, Reply } from '../http/call.ts';
import { loggablePath, writeCallLine } from '../http/call-line.ts';
import { type CorsConfig, corsHeaders } from '../http/cors.ts';
import { InvalidRequestError, NoSuchRouteError } from '../http/errors.ts';
import { asAppError, problemReply, problemType } from '../http/problem.ts';
import type { Logger } from '../log.ts';
import { CannotServeError } from '../start-or-exit.ts';
import { type TrustsProxy, trustsNoProxy } from '../trusted-proxies.ts';
import type { CallLocals } from './api-metrics.ts';
import { boundConnections, closedSignal, serverOptions } from './connections.ts';
import { createDrain } from './drain.ts';
import { MethodNotAllowedError } from './errors.ts';
import { eventOf } from './gateway-event.ts';
import { createTurns } from './pipelining.ts';
import { handlerOf, type Route, readRoutes, readTryItRoutes, websocketFunction } from './routes.ts';
import { sendStream } from './streams.ts';
import { boundAnswers } from './unread-answers.ts';
import { UploadRoom } from './upload-room.ts';
import { createUploads } from './uploads.ts';
import { type SocketDeps, type SocketHandler, Sockets } from './websockets/sockets.ts';

/** `maxBodyBytes`: see `httpFunction`. */
export type EventHandler = ((event: ReturnType<typeof eventOf>, context: Context) => Promise<Reply>) & {
  maxBodyBytes?: number;
};

/** Every error has the same form, whether a function answers with it or the gateway. */
const codeOf = ({ headers, body }: Reply): string | undefined =>
  headers?.['content-type'] === problemType ? JSON.parse(body ?? '{}').code : undefined;

/** All of it, or the head of a stream. */
const send = (response: Response<unknown, CallLocals>, reply: Reply): void => {
  const { statusCode, headers, body, isBase64Encoded, stream } = reply;
  response.locals.code = codeOf(reply);
  response.status(statusCode ?? 200);
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
  if (stream) return;
  // Text goes out with the head in one write.
  response.end(body !== undefined && isBase64Encoded ? Buffer.from(body, 'base64') : body);
};

/** Notes which route the call has taken. */
const takes =
  (path: string): RequestHandler =>
  (_request, response, next) => {
    response.locals.route = path;
    next();
  };

const invoke =
  (routeKey: string, handler: EventHandler, trustsProxy: TrustsProxy, log: Logger): RequestHandler =>
  async (request, response) => {
    const context: CallContext = { callerGone: closedSignal(request.socket), streams: true };
    // No function uses what else AWS Lambda's context has.
    const reply = await handler(eventOf(request, routeKey, trustsProxy), context as Context);
    send(response, reply);
    if (!reply.stream) return;
    // The answer has begun: it can only be cut off.
    await sendStream(response, reply.stream).catch((error) =>
      log.error({ err: error, route: routeKey }, 'a stream failed'),
    );
  };

/** An error of Express as one of ours. A function's error does not come here: its middlewares answer it. */
const asProblem = (error: { status?: number }): unknown =>
  error.status === 400 ? new InvalidRequestError('The path could not be read.') : error;

/** Answers, and logs, what no function has answered. */
const answerErrors =
  (routes: Route[], log: Logger): ErrorRequestHandler =>
  (thrown, { method, path }, response, _next) => {
    const error = thrown instanceof AppError ? thrown : asProblem(thrown);
    const reply = problemReply(error);
    if (reply.statusCode === 500) log.error({ err: error }, 'gateway failed');
    if (error instanceof MethodNotAllowedError) response.setHeader('allow', error.allowed.join(', '));
    writeCallLine(log, {
      method,
      // The client made up a path without a route. It may hold a secret.
      path: routes.map((route) => loggablePath(route.path, path)).find((found) => found !== undefined) ?? '*',
      status: reply.statusCode,
      startedAt: response.locals.startedAt,
      code: asAppError(error).code,
    });
    send(response, reply);
  };

/** For the answers that no function gives. */
const allowOrigins =
  (config: CorsConfig): RequestHandler =>
  ({ headers }, response, next) => {
    for (const [name, value] of Object.entries(corsHeaders(config, headers.origin))) response.setHeader(name, value);
    next();
  };

/**
 * Routes in the order of infra/functions.yml. Every other call is answered with 404 or 405, as problem+json.
 *
 * @param bounds go before all routes.
 */
export const createGateway = (
  routes: (Route & { handler: EventHandler })[],
  log: Logger,
  { trustedProxies = trustsNoProxy, maxUploadBytes }: Pick<Config, 'trustedProxies' | 'maxUploadBytes'>,
  room = new UploadRoom(maxUploadBytes),
  bounds: RequestHandler[] = [],
): Express => {
  const bodyOfAtMost = createUploads(room);
  const app = express().disable('x-powered-by').enable('case sensitive routing').enable('strict routing');
  for (const bound of bounds) app.use(bound);
  app.use((_request, response, next) => {
    response.locals.startedAt = performance.now();
    next();
  });
  const expressPath = (path: string) => path.replace(/\{(\w+)\+\}/g, '*$1').replace(/\{(\w+)\}/g, ':$1');
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'delete' | 'options';
    app[method](
      expressPath(route.path),
      takes(route.path),
      bodyOfAtMost(route.handler.maxBodyBytes ?? 0),
      invoke(`${route.method} ${route.path}`, route.handler, trustedProxies, log),
    );
  }
  const exact = routes.filter(({ path }) => !path.includes('+'));
  for (const path of new Set(exact.map((route) => route.path))) {
    const allowed = exact.filter((route) => route.path === path).map(({ method }) => method);
    app.all(expressPath(path), takes(path), () => {
      throw new MethodNotAllowedError(allowed);
    });
  }
  app.use(() => {
    throw new NoSuchRouteError();
  });
  return app.use(answerErrors(routes, log));
};

export type Gateway = {
  port: number;
  /**
   * Accepts no new connection and no new call, closes WebSockets, lets running calls end, and closes the connections that are left
   * after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
};

/**
 * Serves the routes of infra/functions.yml. Port 0 means any free port.
 *
 * @param observe hears of every call, also of those that are refused.
 * @throws {CannotServeError}
 */
export const serveGateway = async (
  config: Pick<
    Config,
    | 'host'
    | 'port'
    | 'maxConnections'
    | 'keepAliveMs'
    | 'maxUnreadBytes'
    | 'maxUploadBytes'
    | 'corsOrigins'
    | 'trustedProxies'
    | 'tryItPort'
  >,
  deps: SocketDeps,
  observe: RequestHandler,
): Promise<Gateway> => {
  const { log } = deps;
  const tryIt = config.tryItPort === undefined ? [] : await readTryItRoutes();
  const routes = [...(await readRoutes()), ...tryIt];
  const loaded = await Promise.all(
    routes.map(async (route) => ({ ...route, handler: await handlerOf<EventHandler>(route) })),
  );
  const server = createServer(serverOptions(config));
  const drain = createDrain(server);
  boundConnections(server, config);
  const room = new UploadRoom(config.maxUploadBytes);
  const sockets = new Sockets(server, await handlerOf<SocketHandler>(websocketFunction), room, deps);
  const bounds = [createTurns(room), observe, boundAnswers(config), allowOrigins(config), drain.refuse];
  server.on('request', createGateway(loaded, log, config, room, bounds));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new CannotServeError(config.host, config.port, cause)));
    server.listen(config.port, config.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) =>
      new Promise((resolve) => {
        drain.begin();
        sockets.drain();
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
