/** What a connection may cost the gateway: time without a request, time for a request, and a place among the others. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config.ts';
import { siteOf } from '../network.ts';
import { type TrustsProxy, trustsNoProxy } from '../trusted-proxies.ts';
import { isWebSocket } from './websockets/upgrade.ts';

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

/** For `createServer`. */
export const serverOptions = ({ keepAliveMs }: Pick<Config, 'keepAliveMs'>) => ({
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: checkMs,
  keepAliveTimeout: keepAliveMs,
  shouldUpgradeCallback: isWebSocket,
});

/**
 * The connections without a call, by site, in the order in which they became idle. Behind a trusted proxy are many clients: each of
 * its connections counts as a site.
 */
const createIdle = (trustsProxy: TrustsProxy) => {
  const byOwner = new Map<string | Socket, Set<Socket>>();
  const owners = new WeakMap<Socket, string | Socket>();
  const ownerOf = (socket: Socket): string | Socket => {
    // A closed socket has forgotten its address.
    const { remoteAddress = '' } = socket;
    const owner = owners.get(socket) ?? (trustsProxy(remoteAddress) ? socket : siteOf(remoteAddress));
    owners.set(socket, owner);
    return owner;
  };
  return {
    add: (socket: Socket): void => {
      const owner = ownerOf(socket);
      byOwner.set(owner, (byOwner.get(owner) ?? new Set()).add(socket));
    },
    remove: (socket: Socket): void => {
      const owner = ownerOf(socket);
      const own = byOwner.get(owner);
      own?.delete(socket);
      if (own?.size === 0) byOwner.delete(owner);
    },
    /** The one that has been idle for longest, of the site with the most. */
    first: (): Socket | undefined => {
      let most = new Set<Socket>();
      for (const own of byOwner.values()) if (own.size > most.size) most = own;
      const [socket] = most;
      return socket;
    },
  };
};

/** Above `maxConnections` an idle connection makes room for a new one. Where none is idle, the new one is closed. */
const boundNumber = (server: Server, maxConnections: number, trustsProxy: TrustsProxy): void => {
  const idle = createIdle(trustsProxy);
  const calls = new Map<Socket, number>();
  const change = (socket: Socket, by: 1 | -1): void => {
    const before = calls.get(socket);
    if (before === undefined) return;
    calls.set(socket, before + by);
    if (before + by === 0) idle.add(socket);
    else idle.remove(socket);
  };
  const forget = (socket: Socket): void => {
    calls.delete(socket);
    idle.remove(socket);
  };
  server.on('connection', (socket: Socket) => {
    if (calls.size >= maxConnections) {
      const closed = idle.first() ?? socket;
      forget(closed);
      closed.destroy();
      if (closed === socket) return;
    }
    calls.set(socket, 0);
    idle.add(socket);
    socket.once('close', () => forget(socket));
  });
  // A WebSocket is under way until it closes.
  server.on('upgrade', (_request, socket: Socket) => change(socket, 1));
  server.on('request', ({ socket }, response) => {
    change(socket, 1);
    response.once('close', () => change(socket, -1));
  });
};

export const boundConnections = (
  server: Server,
  { maxConnections, trustedProxies = trustsNoProxy }: Pick<Config, 'maxConnections' | 'trustedProxies'>,
): void => {
  server.timeout = silentMs;
  boundNumber(server, maxConnections, trustedProxies);
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
