/** `$connect`: opens a session that is bound to the connection [protocol, Connect]. */
import { SessionEndedError } from '../accounts/errors.ts';
import { liveUserQueue } from '../accounts/live-session.ts';
import { admitStream, verifyStreamToken } from '../accounts/stream-tokens.ts';
import { expiryOf, verifyToken } from '../accounts/tokens.ts';
import type { Config } from '../config.ts';
import type { Connection } from '../connection.ts';
import type { Reply } from '../http/call.ts';
import { userQueueOf } from '../requests/user-queue.ts';
import { endConnection } from './disconnect.ts';
import { OriginNotAllowedError, TooManyConnectionsError } from './errors.ts';
import type { SocketCall } from './socket-call.ts';
import { headersOf, protocolsOf, subprotocol, tokenOf } from './token.ts';

/** How many times a connection may fail to show that it is alive before its session has expired. */
const pingsPerSession = 3;

/** How long the session of a connection lives from its last sign of life. */
export const connectionMs = ({ websocketPingMs }: Pick<Config, 'websocketPingMs'>): number =>
  pingsPerSession * websocketPingMs;

/** Then a client that only watches asks for another stream token. */
const watchingMs = 7_200_000;

/** A page of the same host is no other origin. A client that is no browser sends none. @throws {OriginNotAllowedError} 403 */
const checkOrigin = (headers: Map<string, string>, { corsOrigins = [] }: Pick<Config, 'corsOrigins'>): void => {
  const origin = headers.get('origin');
  if (origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin)) return;
  if (URL.parse(origin)?.host !== headers.get('host')) throw new OriginNotAllowedError();
};

/** With a stream token, a connection has no session: it watches until its session has ended, or its key is revoked. */
const openWatching = async (call: SocketCall, token: string): Promise<Connection> => {
  const { deps, requestContext } = call;
  await deps.timeKnown();
  const holder = verifyStreamToken(token, deps.tokenSecrets, deps.clock.now());
  const { userId } = holder;
  const { queue } = await admitStream(holder, deps);
  const { lane } = queue ?? (await userQueueOf(userId, deps));
  const endsAt = new Date(deps.clock.now().getTime() + watchingMs);
  call.connection = { id: requestContext.connectionId, userId, lane, watcher: holder, endsAt };
  return call.connection;
};

const open = async (call: SocketCall, headers: Map<string, string>): Promise<Connection> => {
  const { deps, requestContext } = call;
  const { userQueues, clock, config } = deps;
  const token = tokenOf(headers);
  await deps.timeKnown();
  const { userId, sessionId: login } = verifyToken(token, deps.tokenSecrets, clock.now());
  const { lane } = await liveUserQueue({ userId, sessionId: login }, deps);
  const connection = { id: requestContext.connectionId, userId, lane, login, endsAt: expiryOf(token) };
  call.connection = connection;
  const now = clock.now();
  const session = { id: connection.id, login, expiresAt: new Date(now.getTime() + connectionMs(config)) };
  const added = await userQueues.addConnection(userId, session, config.maxUserWebsockets, now);
  if (added === 'login-ended') throw new SessionEndedError();
  if (added === 'too-many') throw new TooManyConnectionsError(config.maxUserWebsockets);
  return connection;
};

/**
 * @throws {OriginNotAllowedError} {KeyNotAcceptedError} 403; {InvalidTokenError} {SessionEndedError} 401; {TooManyConnectionsError} 429;
 *   {BusyError} 503
 */
export const openConnection = async (call: SocketCall): Promise<Reply> => {
  const headers = headersOf(call);
  checkOrigin(headers, call.deps.config);
  const streamToken = call.queryStringParameters?.token;
  const connection = await (streamToken === undefined ? open(call, headers) : openWatching(call, streamToken));
  try {
    await call.connections.add(connection);
  } catch (error) {
    await endConnection(connection, call.deps);
    throw error;
  }
  // A browser that has offered a subprotocol accepts no connection without one.
  const isOffered = protocolsOf(headers).includes(subprotocol);
  return { statusCode: 200, ...(isOffered && { headers: { 'sec-websocket-protocol': subprotocol } }) };
};
