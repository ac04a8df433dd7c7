/** What a connection may cost the gateway: time without a request, time for a request, and a place among the others. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config.ts';

/** A client sends its first byte at once. */
const firstByteMs = 10_000;
/** All headers of a request. */
const headersMs = 15_000;
/** A whole request, with its body. */
const requestMs = 30_000;
/** How often Node looks for requests that take too long. */
const checkMs = 1_000;
/** No traffic at all while a call is under way. Above the longest `?wait`. */
const silentMs = 75_000;
/** Then the client must connect again, which lets a load balancer choose again. */
const requestsPerSocket = 1_000;

type ConnectionLimits = Pick<Config, 'maxConnections' | 'keepAliveMs'>;

/** For `createServer`. */
export const serverOptions = ({ keepAliveMs }: Pick<ConnectionLimits, 'keepAliveMs'>) => ({
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: checkMs,
  keepAliveTimeout: keepAliveMs,
});

export const boundConnections = (
  server: Server,
  { maxConnections }: Pick<ConnectionLimits, 'maxConnections'>,
): void => {
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
