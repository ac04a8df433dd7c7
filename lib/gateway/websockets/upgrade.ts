/** The way from an HTTP request to a WebSocket, and what is refused on it. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Reply } from '../../http/call.ts';
import { InvalidRequestError } from '../../http/errors.ts';
import { problemReply } from '../../http/problem.ts';

/** Where clients connect. Behind API Gateway it is the path of the stage. */
export const websocketPath = '/ws';

/** For `createServer`: any other protocol is ignored, as by a server without upgrades. */
export const isWebSocket = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket';

export const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?')[0] as string;

/** What `ws` would refuse only after the session was opened. @throws {InvalidRequestError} 400 */
export const checkHandshake = ({ method, headers }: IncomingMessage): void => {
  const key = headers['sec-websocket-key'] ?? '';
  const isComplete = method === 'GET' && /^[+/0-9A-Za-z]{22}==$/.test(key) && headers['sec-websocket-version'] === '13';
  if (!isComplete) throw new InvalidRequestError('This is no handshake of a WebSocket (RFC 6455, version 13).');
};

/** Answers a handshake over HTTP. */
export const refuse = (socket: Duplex, { statusCode = 500, headers = {}, body = '' }: Reply): void => {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
};

export const refuseWith = (socket: Duplex, error: unknown): void => refuse(socket, problemReply(error));
