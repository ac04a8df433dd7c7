import type { MiddlewareObj } from '@middy/core';
import type { Connection, Connections } from '../connection.ts';
import type { FunctionDeps } from '../deps.ts';
import type { Reply } from '../http/call.ts';

/** An event of a WebSocket API of API Gateway, on its way through the middlewares. */
export type SocketCall = {
  /** Those of the upgrade, in a call that connects. Names are as the client wrote them. */
  headers?: Record<string, string>;
  queryStringParameters?: Record<string, string> | null;
  /** The text of a message. */
  body?: string;
  requestContext: {
    eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
    connectionId: string;
    identity?: { sourceIp?: string };
  };
  deps: FunctionDeps;
  connections: Connections;
  /** Absent until the connection is known. */
  connection?: Connection;
  /** The `id` and the `action` of a message, once they are read. */
  messageId?: string | number;
  action?: string;
  /** The `seq` of the request that the message is about; the last one, of several that it enqueued. */
  seq?: number;
};

/** What our gateway passes as the context of a call. AWS Lambda's context has no such field. */
export type SocketContext = { connections?: Connections };

export type SocketMiddleware = MiddlewareObj<SocketCall, Reply>;
