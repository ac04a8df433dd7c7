/** An API Gateway of our own, on Express: the same events to the same functions, for plain containers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Reply } from '../http/call.ts';
import { InvalidRequestError, RequestTooLargeError } from '../http/errors.ts';
import { problemReply } from '../http/problem.ts';
import type { Logger } from '../log.ts';
import { eventOf } from './gateway-event.ts';
import { handlerOf, type Route, readRoutes } from './routes.ts';

export type EventHandler = (event: ReturnType<typeof eventOf>, context: Context) => Promise<Reply>;

/** Above what any function takes, so that it is the function that refuses. */
const maxBytes = 1_048_576;

const send = (response: Response, { statusCode, headers, body, isBase64Encoded }: Reply): void => {
  response.status(statusCode ?? 200);
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
  response.end(body === undefined ? undefined : Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
};

const invoke =
  (routeKey: string, handler: EventHandler): RequestHandler =>
  async (request, response) => {
    // The context of AWS Lambda; no function here uses it.
    send(response, await handler(eventOf(request, routeKey), {} as Context));
  };

const refuse = (
  request: Request,
  response: Response,
  status: number,
  code: string,
  message: string,
  log: Logger,
): void => {
  log.info({ method: request.method, status, code }, 'http');
  send(response, problemReply(new AppError(message, { code, status })));
};

/** What Express and its body reader throw; what a function throws never comes here, its middlewares answer it. */
const asProblem = (error: { status?: number; type?: string }): unknown => {
  if (error.type === 'entity.too.large') return new RequestTooLargeError('The body', maxBytes);
  if (error.status === 415)
    return new AppError('Send the body as it is.', { code: 'unsupported-encoding', status: 415 });
  if (error.status === 400) return new InvalidRequestError('The path or the body could not be read.');
  return error;
};

/** Routes in the order of serverless.yml; 404 and 405 for whatever else, as problem+json. */
export const createGateway = (routes: (Route & { handler: EventHandler })[], log: Logger): Express => {
  const app = express().disable('x-powered-by').enable('case sensitive routing').enable('strict routing');
  app.use(express.raw({ type: () => true, limit: maxBytes, inflate: false }));
  const expressPath = ({ path }: Route) => path.replace(/\{(\w+)\}/g, ':$1');
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'delete';
    app[method](expressPath(route), invoke(`${route.method} ${route.path}`, route.handler));
  }
  for (const path of new Set(routes.map(expressPath))) {
    const allowed = routes.filter((route) => expressPath(route) === path).map(({ method }) => method);
    app.all(path, (request, response) => {
      response.setHeader('allow', allowed.join(', '));
      refuse(request, response, 405, 'method-not-allowed', `Only ${allowed.join(' and ')} may be called here.`, log);
    });
  }
  app.use((request, response) => {
    refuse(request, response, 404, 'not-found', 'There is nothing here. The calls are listed in the README.', log);
  });
  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    const reply = problemReply(asProblem(error));
    if (reply.statusCode === 500) log.error({ err: error }, 'the gateway failed');
    log.info({ method: request.method, status: reply.statusCode }, 'http');
    send(response, reply);
  };
  return app.use(onError);
};

export type Gateway = {
  port: number;
  /** Takes no new connection, lets what runs end, and cuts the rest off after `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** Longer than a client or load balancer keeps an idle connection: who closes first must not be the server. */
const keepAliveMs = 65_000;

/** Port 0: any free one. */
export const serveGateway = async ({ host, port }: Pick<Config, 'host' | 'port'>, log: Logger): Promise<Gateway> => {
  const routes = await readRoutes();
  const loaded = await Promise.all(
    routes.map(async (route) => ({ ...route, handler: await handlerOf<EventHandler>(route) })),
  );
  const server = createServer(createGateway(loaded, log));
  server.keepAliveTimeout = keepAliveMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
