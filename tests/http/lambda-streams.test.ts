/** The function with a URL, through the interface that the runtime of AWS Lambda has: a handler that writes, and the head before the body. */
import { PassThrough, type Writable } from 'node:stream';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { signToken } from '../../lib/accounts/tokens.ts';
import { closeFunctionDeps } from '../../lib/compose/functions.ts';
import { tokenSecret } from '../support/servers.ts';
import { eventually, openWorld, type World } from '../support/world.ts';
import { eventFixture } from './drivers.ts';

jest.setTimeout(60_000);

type Handle = (event: APIGatewayProxyEventV2, output: Writable, context: Context) => Promise<void>;
type Head = { statusCode: number; headers: Record<string, string> };

const heads = new WeakMap<Writable, Head>();
const awslambda = {
  streamifyResponse: (handle: Handle) => handle,
  HttpResponseStream: {
    from: (output: Writable, head: Head) => {
      heads.set(output, head);
      return output;
    },
  },
};

let world: World;
let handler: Handle;
beforeAll(async () => {
  world = await openWorld();
  world.work(async ({ body }) => ({ kind: 'done', result: body }));
  const { config } = world;
  Object.assign(process.env, {
    MONGODB_URL: config.mongodbUrl,
    RABBITMQ_URL: config.rabbitmqUrl,
    QUEUE_PREFIX: config.queuePrefix,
    LANES: String(config.lanes),
    JWT_SECRET: tokenSecret,
    LOG_LEVEL: 'silent',
    AUTO_MIGRATE: '1',
    AWS_LAMBDA_FUNCTION_NAME: 'eventStreams',
  });
  Object.assign(globalThis, { awslambda });
  ({ handler } = (await import('../../functions/event-streams.ts')) as unknown as { handler: Handle });
});
afterAll(async () => {
  await closeFunctionDeps();
  await world?.[Symbol.asyncDispose]();
});

/** The event of a function URL has `$default` as its route, and no parameters of the path. */
const invoke = (call: Parameters<typeof eventFixture>[0]) => {
  const output = new PassThrough();
  let text = '';
  output.on('data', (part: Buffer) => {
    text += part;
  });
  const ended = handler(eventFixture(call, '$default'), output, {} as Context);
  return { ended, text: () => text, head: () => heads.get(output), close: () => output.destroy() };
};

test('streams events as they happen, without hearing a hint', async () => {
  const user = await world.user();
  const token = signToken(user, new Date(Date.now() + 60_000), tokenSecret);
  const { text, head, close, ended } = invoke({ call: 'GET /events', token, headers: { accept: 'text/event-stream' } });
  await eventually('the head', () => head()?.statusCode === 200);
  expect(head()?.headers).toMatchObject({ 'content-type': 'text/event-stream' });
  await world.enqueue(user, 'hello');
  await eventually('the end of the request', () => /event: settled\ndata: .*"result":"hello"/.test(text()));
  expect(text()).toMatch(/^retry: 1000\n\n/);
  close();
  await expect(ended).rejects.toThrow();
});

test.each([
  ['a page', { call: 'GET /events?after=0' }, 200, /^\{"events":\[\]/],
  ['a refusal', { call: 'GET /events', token: 'x' }, 401, /invalid-token/],
  ['another path', { call: 'GET /queue' }, 404, /not-found/],
  ['what a browser asks before', { call: 'OPTIONS /events' }, 204, /^$/],
])('answers %s', async (_what, call, status, body) => {
  const user = await world.user();
  const token = signToken(user, new Date(Date.now() + 60_000), tokenSecret);
  const { ended, head, text } = invoke({ token, ...call });
  await ended;
  expect([head()?.statusCode, text()]).toEqual([status, expect.stringMatching(body)]);
});
