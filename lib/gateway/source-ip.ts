import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddress from 'proxy-addr';
import type { TrustsProxy } from '../trusted-proxies.ts';

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const withoutPort = (address: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([^:]*):\d+$/.exec(address)?.[1] ?? address;

/**
 * The address of the client: the last one in `X-Forwarded-For` that is no trusted proxy. Without a trusted proxy it is the other
 * end of the connection, as everybody can send that header.
 */
export const sourceIpOf = (request: IncomingMessage, trustsProxy: TrustsProxy): string => {
  const found = withoutPort(proxyAddress(request, trustsProxy));
  return isIP(found) ? found : (request.socket.remoteAddress ?? '');
};
