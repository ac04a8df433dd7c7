/** Two ways to make the same call: to the function directly, and over HTTP through our own gateway. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { createGateway, type EventHandler } from '../../lib/gateway/gateway.ts';
import { handlerOf, type Route, readRoutes } from '../../lib/gateway/routes.ts';
import type { Reply } from '../../lib/http/call.ts';
import { createLogger } from '../../lib/log.ts';
import { testConfig } from '../support/servers.ts';
import { faultsOfAnswer } from './description.ts';

export type ApiCall = {
  /** `METHOD /path?query` */
  call: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent unchanged, in the place of `body`. */
  text?: string;
  token?: string;
  headers?: Record<string, string>;
};

export type Answer = { status: number; headers: Record<string, string>; body: Record<string, unknown>; text: string };

export type Driver = { call(call: ApiCall): Promise<Answer>; close(): Promise<void> };

const split = ({ call }: ApiCall) => {
  const [method = '', target = ''] = call.split(' ');
  const [path = '', query = ''] = target.split('?');
  return { method, target, path, query };
};

const textOf = ({ body, text }: ApiCall): string | undefined =>
  text ?? (body === undefined ? undefined : JSON.stringify(body));

const headersOf = ({ token, headers }: ApiCall): Record<string, string> => ({
  'content-type': 'application/json',
  ...(token && { authorization: `Bearer ${token}` }),
  ...headers,
});

/** @throws {Error} when the answer is not one that docs/openapi.json describes. */
const answer = (call: ApiCall, status: number, headers: Record<string, string>, text: string): Answer => {
  const { method, path } = split(call);
  const faults = faultsOfAnswer(method, path, { status, contentType: headers['content-type'], text });
  if (faults) throw new Error(`${call.call} answered ${status} ${text.slice(0, 500)}\n${faults}`);
  return { status, headers, text, body: /json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : {} };
};

/** The event of a call as API Gateway documents it. It does not use the gateway's code, which it helps to test. */
export const eventFixture = (
  call: ApiCall,
  routeKey: string,
  pathParameters?: Record<string, string>,
): APIGatewayProxyEventV2 => {
  const { method, path, query } = split(call);
  const parameters = [...new URLSearchParams(query)];
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    headers: headersOf(call),
    queryStringParameters: parameters.length > 0 ? Object.fromEntries(parameters) : undefined,
    pathParameters,
    body: textOf(call),
    isBase64Encoded: false,
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'request',
      routeKey,
      stage: '$default',
      time: '25/Nov/2026:00:00:00 +0000',
      timeEpoch: 0,
    },
  };
};

const matches = ({ method, path }: Route, call: ApiCall): Record<string, string> | undefined => {
  const wanted = split(call);
  const pattern = new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
  const found = pattern.exec(wanted.path);
  if (method !== wanted.method || !found) return undefined;
  return Object.fromEntries(
    Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
};

export const directDriver = async (): Promise<Driver> => {
  const routes = await readRoutes();
  return {
    async call(call) {
      for (const route of routes) {
        const parameters = matches(route, call);
        if (!parameters) continue;
        const handler = await handlerOf<EventHandler>(route);
        const event = eventFixture(call, `${route.method} ${route.path}`, parameters);
        const reply: Reply = await handler(event, {} as Context);
        return answer(call, reply.statusCode ?? 200, (reply.headers ?? {}) as Record<string, string>, reply.body ?? '');
      }
      throw new Error(`There is no function for ${call.call}.`);
    },
    close: async () => undefined,
  };
};

export const httpClient =
  (base: string) =>
  async (call: ApiCall): Promise<Answer> => {
    const { method, target } = split(call);
    const response = await fetch(base + target, { method, headers: headersOf(call), body: textOf(call) });
    return answer(call, response.status, Object.fromEntries(response.headers), await response.text());
  };

export const gatewayDriver = async (): Promise<Driver> => {
  const routes = await Promise.all(
    (await readRoutes()).map(async (route) => ({ ...route, handler: await handlerOf<EventHandler>(route) })),
  );
  const server = createServer(createGateway(routes, createLogger('silent'), testConfig()));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    call: httpClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
};
