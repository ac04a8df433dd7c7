/** `$disconnect`: ends the session of a connection. Its user queue drains and is deleted, unless other sessions keep it open. */
import type { Connection } from '../connection.ts';
import type { FunctionDeps } from '../deps.ts';
import type { Reply } from '../http/call.ts';
import { disconnect } from '../requests/disconnect.ts';
import type { SocketCall } from './socket-call.ts';

/** A connection that only watches has no session. */
export const endConnection = async ({ id, userId, login }: Connection, deps: FunctionDeps): Promise<void> => {
  if (login !== undefined) await disconnect({ userId, sessionId: id, pending: 'drain' }, deps);
};

/** Idempotent: API Gateway may tell of a disconnect more than once, or never. */
export const closeConnection = async (call: SocketCall): Promise<Reply> => {
  call.connection = await call.connections.find(call.requestContext.connectionId);
  if (call.connection) {
    await endConnection(call.connection, call.deps);
    // Last, so that a call that failed half-way can be repeated.
    await call.connections.remove(call.connection.id);
  }
  return { statusCode: 200 };
};
