import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Request } from 'express';

/** What API Gateway hands on as text; everything else comes base64-encoded. */
const textTypes = /^(text\/.*|application\/(json|javascript|xml)|application\/.*\+(json|xml))\s*(;|$)/i;

/** Values that come more than once are joined with commas; cookies stand apart. */
const headersOf = ({ headersDistinct }: Request): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headersDistinct)
      .filter(([name]) => name !== 'cookie')
      .map(([name, values]) => [name, (values ?? []).join(',')]),
  );

const queryOf = (query: URLSearchParams): Record<string, string> | undefined => {
  if (query.size === 0) return undefined;
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')]));
};

const bodyOf = (request: Request): Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> => {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) return { body: undefined, isBase64Encoded: false };
  const isText = textTypes.test(request.headers['content-type'] ?? 'application/json');
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
};

/** An Express request as API Gateway would hand it to a function: HTTP API, payload 2.0. The body must be read, raw. */
export const eventOf = (request: Request, routeKey: string): APIGatewayProxyEventV2 => {
  const [, rawQueryString = ''] = /\?(.*)$/s.exec(request.originalUrl) ?? [];
  const now = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath: request.path,
    rawQueryString,
    cookies: request.headersDistinct.cookie?.flatMap((line) => line.split(/; */)),
    headers: headersOf(request),
    queryStringParameters: queryOf(new URLSearchParams(rawQueryString)),
    pathParameters: Object.keys(request.params).length > 0 ? (request.params as Record<string, string>) : undefined,
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
        sourceIp: request.socket.remoteAddress ?? '',
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
