import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Identity } from '../accounts/tokens.ts';
import type { FunctionDeps } from '../deps.ts';
import type { UserQueue } from '../types.ts';

/**
 * An API Gateway event (HTTP API, payload 2.0) on its way through the middlewares; each adds what it found. A function
 * reads only what the middlewares it asked for have set.
 */
export type Call = APIGatewayProxyEventV2 & {
  deps: FunctionDeps;
  /** The body as JSON text, and what it says; `{}` where a body is optional and absent. */
  text: string;
  json: unknown;
  identity: Identity;
  /** The caller's user queue, as it was when the session was found alive. */
  userQueue: UserQueue;
};

export type Reply = APIGatewayProxyStructuredResultV2;

export type Middleware = MiddlewareObj<Call, Reply>;

export const jsonText = (statusCode: number, text: string): Reply => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: text,
});

export const json = (statusCode: number, value: unknown): Reply => jsonText(statusCode, JSON.stringify(value));
