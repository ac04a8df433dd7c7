import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Identity } from '../accounts/tokens.ts';
import type { FunctionDeps } from '../deps.ts';
import type { ApiKey } from '../ports.ts';
import type { Caller } from '../references.ts';
import type { Span } from '../tracing.ts';
import type { UserQueue } from '../types.ts';

/**
 * An API Gateway event (HTTP API, payload 2.0) on its way through the middlewares. Each middleware sets fields, and a function
 * reads only the fields of the middlewares that it asked for in `httpFunction`.
 */
export type Call = APIGatewayProxyEventV2 & {
  deps: FunctionDeps;
  /** Aborts when the caller's connection has closed, where that can be known: behind our gateway. */
  signal?: AbortSignal;
  /** Whether the host can pass an answer on while it is being made. */
  streams?: boolean;
  /** The trace of the call; absent when it belongs to none. */
  traceparent?: string;
  /** The span of the call, where spans are made. */
  span?: Span;
  /** The HTTP body, which is JSON. `{}` if the HTTP body is optional and empty. */
  text: string;
  /** The parsed `text`. */
  json: unknown;
  /** Who sent the token. Absent in a call with an API key. */
  identity: Identity;
  /** A stream token in the query has let the call in. */
  isAdmitted?: boolean;
  /** The key of the call; absent in a call with a token. */
  apiKey?: ApiKey;
  /** Whose requests the call is about: the sender's own, or those of the user in the path, `/users/{ref}/…`. */
  caller: Caller;
  /** The `seq` of the request that the call has enqueued; the last one, of several. */
  enqueued?: number;
  /** The user queue of the caller, as it was when the session or the key was checked. */
  userQueue: UserQueue;
};

/** What our gateway passes as the context of a call. AWS Lambda's context has no such field. */
export type CallContext = { callerGone?: AbortSignal; streams?: true };

/** `stream`: the body, in parts, in the place of `body`. Only where the host `streams`. */
export type Reply = APIGatewayProxyStructuredResultV2 & { stream?: AsyncIterable<string> };

export type Middleware = MiddlewareObj<Call, Reply>;

/** The headers of every answer: it is for its caller alone, and no browser may take it for something else. */
export const headersOf = (contentType: string) => ({
  'content-type': contentType,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
});

export const jsonTextReply = (statusCode: number, text: string): Reply => ({
  statusCode,
  headers: headersOf('application/json'),
  body: text,
});

export const jsonReply = (statusCode: number, value: unknown): Reply =>
  jsonTextReply(statusCode, JSON.stringify(value));
