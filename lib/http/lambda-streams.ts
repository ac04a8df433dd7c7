/** Answers of functions as streams on AWS Lambda: the URL of a function passes on what is written, while an HTTP API waits for the end. */
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { Call, CallContext, Reply } from './call.ts';
import { NoSuchRouteError } from './errors.ts';
import { problemReply } from './problem.ts';

/** What Middy makes of a function: its promise is of a reply. The third parameter is of callbacks, which no function uses. */
type Handle = (event: Call, context: Context, unused: () => void) => unknown;
type StreamingHandle = (event: APIGatewayProxyEventV2, output: Writable, context: Context) => Promise<void>;

/** What the runtime of Lambda has as a global. */
type LambdaStreams = {
  streamifyResponse(handle: StreamingHandle): unknown;
  HttpResponseStream: { from(output: Writable, head: Pick<Reply, 'statusCode' | 'headers'>): Writable };
};

const write = async (reply: Reply, output: Writable, { HttpResponseStream }: LambdaStreams): Promise<void> => {
  const { statusCode, headers, body = '', stream } = reply;
  const answer = HttpResponseStream.from(output, { statusCode, headers });
  await pipeline(stream ? Readable.from(stream) : Readable.from([body]), answer);
};

/**
 * One handler for these functions, by `METHOD /path`; `OPTIONS` is for every path. The event of a function URL has no route. Elsewhere
 * than on AWS Lambda the module can be loaded, as for compiling it, and the handler rejects.
 */
export const streamed = (handlers: Record<string, Handle>): unknown => {
  const { awslambda: streams } = globalThis as { awslambda?: LambdaStreams };
  if (!streams) return () => Promise.reject(new Error('Only the runtime of AWS Lambda runs this function.'));
  return streams.streamifyResponse(async (event, output, context) => {
    const { method, path } = event.requestContext.http;
    const route = method === 'OPTIONS' ? method : `${method} ${path}`;
    const handle = handlers[route];
    const routeKey = method === 'OPTIONS' ? 'OPTIONS /{proxy+}' : route;
    const here: CallContext = { streams: true };
    const answer = handle?.({ ...event, routeKey } as Call, { ...context, ...here } as Context, () => undefined);
    await write(((await answer) as Reply | undefined) ?? problemReply(new NoSuchRouteError()), output, streams);
  });
};
