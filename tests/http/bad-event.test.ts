/** Events that are not those of an HTTP API with payload 2.0, in a process of their own: what they are answered, and the log. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';

jest.setTimeout(60_000);

const restApi = {
  resource: '/queue',
  path: '/queue',
  httpMethod: 'GET',
  headers: { Authorization: 'Bearer secret-token' },
  multiValueHeaders: { Authorization: ['Bearer secret-token'] },
  requestContext: { httpMethod: 'GET', resourcePath: '/queue', stage: 'dev' },
  body: '{"request":"secret-body"}',
  isBase64Encoded: false,
};

const http = { method: 'GET', path: '/queue', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
const payload2 = { version: '2.0', routeKey: 'GET /queue', rawPath: '/queue', requestContext: { http } };

const script = `
  import { handler } from './functions/queue.ts';
  for (const event of JSON.parse(process.env.TEST_EVENTS)) {
    const { statusCode, body } = await handler(event, {});
    console.log(JSON.stringify({ msg: 'reply', statusCode, code: JSON.parse(body).code }));
  }
  process.exit();
`;

const replies = async (...events: unknown[]) => {
  const env = { ...process.env, TEST_EVENTS: JSON.stringify(events), JWT_SECRET: 'x'.repeat(32) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { stdout, lines, codes: lines.filter(({ msg }) => msg === 'reply').map((one) => [one.statusCode, one.code]) };
};

test('an event that no function understands is a 500 with a code, and the log says what is wrong', async () => {
  const other = [
    { ...restApi, version: '1.0' },
    { ...restApi, headers: null },
    { ...payload2, requestContext: null },
  ];
  const events = [restApi, ...other, {}, null, 'text', { source: 'a warm-up', version: '"\u001b[2J' }];
  const { codes, stdout, lines } = await replies(...events);
  expect(codes).toEqual(events.map(() => [500, 'bad-event']));
  expect(lines.find(({ level }) => level === 50)).toMatchObject({
    msg: 'function failed',
    err: { message: expect.stringMatching(/^The event is not one of an HTTP API with payload format 2\.0/) },
  });
  expect(lines.filter(({ msg }) => msg === 'http')).toHaveLength(events.length);
  expect(stdout).not.toContain('secret');
});

test('an event with payload 2.0 may be without headers', async () => {
  expect((await replies({ ...payload2, headers: null }, payload2)).codes).toEqual([
    [401, 'missing-token'],
    [401, 'missing-token'],
  ]);
});

test('of many calls that fail with 503 before their configuration is read, one is logged as failed', async () => {
  const failing = `
    import { BusyError } from './lib/errors.ts';
    import { callLog } from './lib/http/middlewares/call-log.ts';
    const call = { event: {}, error: new BusyError('away'), response: { statusCode: 503 } };
    for (let count = 0; count < 5; count += 1) callLog().onError(call);
    process.exit();
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', failing]);
  expect(stdout.match(/"msg":"function failed/g)).toHaveLength(1);
  expect(stdout.match(/"msg":"http"/g)).toHaveLength(5);
});
