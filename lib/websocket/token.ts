/** Where a client puts the token when it connects: a browser can set no header of a WebSocket. */
import { isApiKey } from '../accounts/api-keys.ts';
import { InvalidTokenError, KeyNotAcceptedError } from '../accounts/errors.ts';
import type { SocketCall } from './socket-call.ts';

/** The subprotocol of this API. */
export const subprotocol = 'lanekeeper';

const tokenPrefix = 'token.';

/** By their names in lower case: API Gateway passes them on as the client wrote them. */
export const headersOf = ({ headers = {} }: Pick<SocketCall, 'headers'>): Map<string, string> =>
  new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

export const protocolsOf = (headers: Map<string, string>): string[] =>
  (headers.get('sec-websocket-protocol') ?? '').split(',').map((one) => one.trim());

/** @throws {InvalidTokenError} 401; {KeyNotAcceptedError} 403 */
export const tokenOf = (headers: Map<string, string>): string => {
  const offered = protocolsOf(headers)
    .find((one) => one.startsWith(tokenPrefix))
    ?.slice(tokenPrefix.length);
  const token = offered ?? /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  if (!token) {
    const advice = `Send the token from the login as the subprotocol \`${tokenPrefix}<token>\`, beside \`${subprotocol}\`.`;
    throw new InvalidTokenError(advice, 'missing-token');
  }
  if (isApiKey(token)) throw new KeyNotAcceptedError();
  return token;
};
