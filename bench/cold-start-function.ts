/**
 * One process of a function, as AWS Lambda starts it: loads the bundle, handles a call, and then more. Without `TOKEN` it registers a user
 * and prints a token.
 */
import { join } from 'node:path';
import { argv, env, exit, stdout } from 'node:process';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

const folder = argv[2] ?? '';
const warmCalls = 20;

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<{ statusCode: number; body: string }>;

const load = async (name: string): Promise<Handler> => (await import(join(folder, 'functions', `${name}.js`))).handler;

const eventOf = (path: string, body: object): APIGatewayProxyEventV2 => {
  const http = { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'bench' };
  const about = {
    accountId: '',
    apiId: '',
    domainName: '',
    domainPrefix: '',
    stage: '$default',
    time: '',
    timeEpoch: 0,
  };
  const routeKey = `POST ${path}`;
  return {
    ...{ version: '2.0', routeKey, rawPath: path, rawQueryString: '', isBase64Encoded: false },
    headers: { 'content-type': 'application/json', ...(env.TOKEN && { authorization: `Bearer ${env.TOKEN}` }) },
    body: JSON.stringify(body),
    requestContext: { ...about, http, requestId: 'request', routeKey },
  };
};

const call = async (handler: Handler, path: string, body: object, expected: number): Promise<{ token?: string }> => {
  const { statusCode, body: answer } = await handler(eventOf(path, body), {} as Context);
  if (statusCode !== expected) throw new Error(`POST ${path} answered ${statusCode}: ${answer}`);
  return JSON.parse(answer);
};

if (!env.TOKEN) {
  const credentials = { username: 'cold-start', password: 'correct horse' };
  await call(await load('register'), '/register', credentials, 201);
  stdout.write(String((await call(await load('login'), '/login', credentials, 200)).token));
  exit(0);
}

const enqueue = await load('enqueue');
const loadedMs = performance.now();
await call(enqueue, '/enqueue', { request: 1 }, 202);
// `performance.now()` counts from the start of the process.
const firstMs = performance.now();
const warmMs: number[] = [];
for (let done = 0; done < warmCalls; done += 1) {
  const began = performance.now();
  await call(enqueue, '/enqueue', { request: 1 }, 202);
  warmMs.push(performance.now() - began);
}
stdout.write(JSON.stringify({ loadedMs, firstMs, warmMs }));
exit(0);
