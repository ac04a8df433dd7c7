/** The events that a WebSocket API of API Gateway makes of a connection. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TrustsProxy } from '../../trusted-proxies.ts';
import type { SocketCall } from '../../websocket/socket-call.ts';
import { sourceIpOf } from '../source-ip.ts';

/** What a function gets: the middlewares add the rest. */
export type SocketEvent = Omit<SocketCall, 'deps' | 'connections'>;

type EventType = SocketCall['requestContext']['eventType'];

const routes = { CONNECT: '$connect', MESSAGE: '$default', DISCONNECT: '$disconnect' } as const;

const contextOf = (eventType: EventType, connectionId: string, sourceIp?: string) => ({
  ...{ eventType, connectionId, routeKey: routes[eventType], requestId: randomUUID(), stage: 'local', apiId: 'local' },
  ...{ requestTimeEpoch: Date.now(), ...(sourceIp !== undefined && { identity: { sourceIp } }) },
});

export const connectEvent = (request: IncomingMessage, connectionId: string, trustsProxy: TrustsProxy): SocketEvent => {
  const { searchParams } = new URL(request.url ?? '/', 'ws://localhost');
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return {
    headers: Object.fromEntries(headers),
    queryStringParameters: searchParams.size === 0 ? null : Object.fromEntries(searchParams),
    requestContext: contextOf('CONNECT', connectionId, sourceIpOf(request, trustsProxy)),
  };
};

export const messageEvent = (connectionId: string, body: string): SocketEvent => ({
  body,
  requestContext: contextOf('MESSAGE', connectionId),
});

export const disconnectEvent = (connectionId: string): SocketEvent => ({
  requestContext: contextOf('DISCONNECT', connectionId),
});
