/** What a connection may cost the gateway: time without a request, time for a request, and a place among the others. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { problemReply } from '../http/problem.ts';
import { DrainingError } from './errors.ts';

/** A client sends its first byte at once. */
const firstByteMs = 10_000;
/** All headers of a request. */
const headersMs = 15_000;
/** A whole request, with its body. */
const requestMs = 30_000;
/** How often Node looks for requests that take too long. */
const checkMs = 1_000;
/** No traffic at all. Above the longest `?wait` and `keepAliveMs`. */
const silentMs = 75_000;
/**
 * Longer than a client or a load balancer keeps an idle connection. If the server closed it first, a call that is just being
 * sent would fail.
 */
const keepAliveMs = 65_000;
/** Then the client must connect again, which lets a load balancer choose again. */
const requestsPerSocket = 1_000;

/** For `createServer`. */
export const serverOptions = {
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: checkMs,
  keepAliveTimeout: keepAliveMs,
} as const;

export const boundConnections = (server: Server, maxConnections: number): void => {
  server.timeout = silentMs;
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = requestsPerSocket;
  server.on('connection', (socket: Socket) => socket.setTimeout(firstByteMs));
  server.on('request', ({ socket }) => socket.setTimeout(silentMs));
};

const closedSignals = new WeakMap<Socket, AbortSignal>();

/**
 * Aborts when the connection closes. One for all calls of a connection: the answer to a call that waits behind another one does not
 * notice the end of its connection.
 */
export const closedSignal = (socket: Socket): AbortSignal => {
  const known = closedSignals.get(socket);
  if (known) return known;
  const controller = new AbortController();
  if (socket.destroyed) controller.abort();
  else socket.once('close', () => controller.abort());
  closedSignals.set(socket, controller.signal);
  return controller.signal;
};

export type Drain = {
  /** Goes before all routes: it refuses what comes after the drain began. */
  refuse: RequestHandler;
  /** From now on every answer closes its connection. */
  begin(): void;
};

export const createDrain = (): Drain => {
  const answering = new Set<ServerResponse>();
  let isDraining = false;
  return {
    refuse: (_request, response, next) => {
      if (isDraining) {
        const { statusCode = 503, headers, body } = problemReply(new DrainingError());
        response.writeHead(statusCode, { ...(headers as Record<string, string>), connection: 'close' }).end(body);
        return;
      }
      answering.add(response);
      response.once('close', () => answering.delete(response));
      next();
    },
    begin() {
      isDraining = true;
      for (const response of answering) response.shouldKeepAlive = false;
    },
  };
};
