import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Request } from 'express';
import type { TrustsProxy } from '../trusted-proxies.ts';
import { sourceIpOf } from './source-ip.ts';

/** Content types that API Gateway passes on as text. It encodes everything else in base64. */
const textTypes = /^(text\/.*|application\/(json|javascript|xml)|application\/.*\+(json|xml))\s*(;|$)/i;

/** API Gateway joins repeated headers with commas. Cookies have a field of their own. */
const headersOf = ({ rawHeaders }: Request): Record<string, string> => {
  // Without a prototype, because a client chooses the names.
  const headers: Record<string, string> = Object.create(null);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    if (name !== 'cookie') headers[name] = name in headers ? `${headers[name]},${value}` : value;
  }
  return headers;
};

const cookiesOf = ({ headersDistinct }: Request): string[] | undefined =>
  headersDistinct.cookie?.flatMap((line) => line.split(/; */));

const queryOf = (query: URLSearchParams): Record<string, string> | undefined => {
  if (query.size === 0) return undefined;
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')]));
};

/** Express splits what `{proxy+}` matches. */
const parametersOf = ({ params }: Request): Record<string, string> | undefined => {
  const values = Object.entries(params).map(([name, value]) => [name, [value].flat().join('/')]);
  return values.length > 0 ? Object.fromEntries(values) : undefined;
};

const bodyOf = (request: Request): Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> => {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) return { body: undefined, isBase64Encoded: false };
  // What is not UTF-8 would be changed by becoming text.
  const isText = textTypes.test(request.headers['content-type'] ?? 'application/json') && isUtf8(body);
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
};

/** The event that API Gateway would make of an Express request: HTTP API, payload 2.0. `request.body` must be a Buffer. */
export const eventOf = (request: Request, routeKey: string, trustsProxy: TrustsProxy): APIGatewayProxyEventV2 => {
  const queryAt = request.originalUrl.indexOf('?');
  const rawQueryString = queryAt < 0 ? '' : request.originalUrl.slice(queryAt + 1);
  const now = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath: request.path,
    rawQueryString,
    cookies: request.headers.cookie === undefined ? undefined : cookiesOf(request),
    headers: headersOf(request),
    queryStringParameters: rawQueryString === '' ? undefined : queryOf(new URLSearchParams(rawQueryString)),
    pathParameters: parametersOf(request),
    ...bodyOf(request),
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      domainName: request.hostname ?? 'localhost',
      domainPrefix: 'local',
      http: {
        method: request.method,
        path: request.path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: sourceIpOf(request, trustsProxy),
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
  };
};
