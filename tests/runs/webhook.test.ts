import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { createWebhookProcessor, keysOf, retryAfterMs, sign } from '../../lib/runs/webhook.ts';
import { openHttpEndpoint } from './support/http-endpoint.ts';

const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

type PostOptions = {
  secret?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  attempt?: number;
  body?: string;
  trace?: { traceparent: string };
};

const postText = async (url: string, options: PostOptions = {}): Promise<string> =>
  createWebhookProcessor(
    { url, secret: options.secret ?? secret, timeoutMs: options.timeoutMs ?? 10_000 },
    systemClock,
  )(options.body ?? '{"say":"héllo"}', {
    userId: 'user-1',
    user: 'adä@example.com',
    seq: 7,
    attempt: options.attempt ?? 2,
    fencingToken: 12,
    signal: options.signal ?? new AbortController().signal,
    logger: createLogger('silent'),
    ...(options.trace && { trace: options.trace }),
  });

const post = async (url: string, options: PostOptions = {}): Promise<unknown> =>
  JSON.parse(await postText(url, options));

const json = { 'content-type': 'application/json' };

describe('the webhook processor', () => {
  test('posts the request with its context, and returns the JSON response as the result', async () => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(200, json).end('{"ok":[1]}'));
    expect(await post(endpoint.url)).toEqual({ ok: [1] });
    const [call] = endpoint.received;
    expect(call).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'user-1:7',
        'lanekeeper-user-id': 'user-1',
        'lanekeeper-user': 'ad%C3%A4%40example.com',
        'lanekeeper-seq': '7',
        'lanekeeper-attempt': '2',
        'lanekeeper-fencing-token': '12',
      },
    });
    expect(JSON.parse(call!.body)).toEqual({
      userId: 'user-1',
      user: 'adä@example.com',
      seq: 7,
      attempt: 2,
      fencingToken: 12,
      request: { say: 'héllo' },
    });
  });

  test('signs the body with the current time, as Standard Webhooks says', async () => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(204).end());
    const before = Math.floor(Date.now() / 1_000);
    await post(endpoint.url);
    const { headers, body } = endpoint.received[0]!;
    const timestamp = Number(headers['webhook-timestamp']);
    expect(timestamp).toBeGreaterThanOrEqual(before);
    expect(timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
    const hmac = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'));
    const expected = hmac.update(`${headers['webhook-id']}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  test('computes the signature in the Standard Webhooks specification', () => {
    const keys = keysOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    expect(sign(keys, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}')).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  test('signs with each of several secrets, so that receivers can change theirs one after the other', async () => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(204).end());
    const next = `whsec_${Buffer.from('fedcba9876543210fedcba9876543210').toString('base64')}`;
    await post(endpoint.url, { secret: `${next}\n${secret} ` });
    const { headers, body } = endpoint.received[0]!;
    const signed = [next, secret].map((one) =>
      sign(keysOf(one), String(headers['webhook-id']), Number(headers['webhook-timestamp']), body),
    );
    expect(headers['webhook-signature']).toBe(signed.join(' '));
  });

  test('takes a secret of another form as one, also with spaces in it', () => {
    expect(keysOf('whsec is a fine word')).toEqual([Buffer.from('whsec is a fine word')]);
    expect(() => keysOf(`${secret} whsec_AAAA`)).toThrow('has a key of 3 bytes; it needs at least 16');
  });

  test('sends the trace of the run, where it belongs to one', async () => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(204).end());
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await post(endpoint.url, { trace: { traceparent } });
    await post(endpoint.url);
    expect(endpoint.received.map(({ headers }) => headers.traceparent)).toEqual([traceparent, undefined]);
  });

  test('sends the same id with every attempt', async () => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(204).end());
    await post(endpoint.url, { attempt: 1 });
    await post(endpoint.url, { attempt: 2 });
    expect(endpoint.received.map((call) => call.headers['webhook-id'])).toEqual(['user-1:7', 'user-1:7']);
  });

  test.each([
    ['a text', { 'content-type': 'text/plain' }, 'fine', 'fine'],
    ['nothing', {}, '', null],
    ['malformed JSON', json, '{oops', '{oops'],
  ])('returns %s as the result, unchanged', async (_name, headers, answer, result) => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(200, headers).end(answer));
    expect(await post(endpoint.url)).toEqual(result);
  });

  test.each(['9007199254740993', '1e400', '1.0', '-0', '[1E+2, 0.10]', '{"b":1,"a":{"b":12345678901234567890}}'])(
    'passes %s on exactly, in both directions',
    async (text) => {
      await using endpoint = await openHttpEndpoint((response) => response.writeHead(200, json).end(` ${text}\n`));
      expect(await postText(endpoint.url, { body: text })).toBe(text);
      expect(endpoint.received[0]?.body).toMatch(/^\{"userId":"user-1","user":"adä@example.com","seq":7,.*,"request":/);
      expect(endpoint.received[0]?.body.endsWith(`,"request":${text}}`)).toBe(true);
    },
  );

  test('ignores a byte order mark, and reads the charset that the response names', async () => {
    const latin = { 'content-type': 'application/json; charset="ISO-8859-1"' };
    const answers = [{ headers: json, bytes: Buffer.from('\uFEFF{"ok":"é"}') }];
    answers.push({ headers: latin, bytes: Buffer.from('{"ok":"é"}', 'latin1') });
    for (const { headers, bytes } of answers) {
      await using endpoint = await openHttpEndpoint((response) => response.writeHead(200, headers).end(bytes));
      expect(await post(endpoint.url)).toEqual({ ok: 'é' });
    }
  });

  test.each([
    ['json', 'application/json'],
    ['text in no charset', 'text/plain; charset=klingon'],
  ])('fails finally when the response is not text (%s): it would be changed', async (_name, type) => {
    const bytes = Buffer.from('"é"', 'latin1');
    await using endpoint = await openHttpEndpoint((response) => {
      response.writeHead(200, { 'content-type': type }).end(bytes);
    });
    await expect(post(endpoint.url)).rejects.toMatchObject({ name: 'UnrecoverableError' });
  });

  test.each([400, 401, 404, 410, 422])('fails finally after a %i', async (status) => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(status).end('because'));
    await expect(post(endpoint.url)).rejects.toMatchObject({ name: 'UnrecoverableError' });
  });

  test.each([408, 409, 425, 429, 500, 502, 503])('can be retried after a %i', async (status) => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(status).end());
    await expect(post(endpoint.url)).rejects.toMatchObject({
      name: 'WebhookError',
      message: expect.stringContaining(`${status}`),
    });
  });

  test('passes on the Retry-After of the endpoint', async () => {
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(503, { 'retry-after': '3' }).end());
    await expect(post(endpoint.url)).rejects.toMatchObject({ retryAfterMs: 3_000 });
  });

  test("counts a date in Retry-After from the endpoint's own Date, because its clock may be another", async () => {
    const anHourBehind = Date.now() - 3_600_000;
    const header = (ms: number) => new Date(ms).toUTCString();
    const headers = { date: header(anHourBehind), 'retry-after': header(anHourBehind + 60_000) };
    await using endpoint = await openHttpEndpoint((response) => response.writeHead(503, headers).end());
    await expect(post(endpoint.url)).rejects.toMatchObject({ retryAfterMs: 60_000 });
  });

  test('reads Retry-After as seconds or as a date, and ignores anything else', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    expect(retryAfterMs('120', now)).toBe(120_000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5_000);
    for (const header of [null, '0', 'soon', 'Thu, 01 Jan 2020 00:00:00 GMT']) {
      expect(retryAfterMs(header, now)).toBeUndefined();
    }
  });

  test('does not follow a redirect, and fails finally', async () => {
    await using elsewhere = await openHttpEndpoint((response) => response.writeHead(200).end());
    await using endpoint = await openHttpEndpoint((response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    await expect(post(endpoint.url)).rejects.toMatchObject({ name: 'UnrecoverableError' });
    expect(elsewhere.received).toEqual([]);
  });

  test('can be retried when the response, its body included, does not arrive in time', async () => {
    await using silent = await openHttpEndpoint(() => {});
    const noAnswer = { name: 'WebhookError', message: 'The webhook did not respond within 80 ms' };
    await expect(post(silent.url, { timeoutMs: 80 })).rejects.toMatchObject(noAnswer);
    await using slow = await openHttpEndpoint((response) => response.writeHead(200).write('begun'));
    await expect(post(slow.url, { timeoutMs: 80 })).rejects.toMatchObject(noAnswer);
  });

  test('ends as soon as its signal aborts', async () => {
    const stop = new AbortController();
    await using endpoint = await openHttpEndpoint(() => stop.abort());
    await expect(post(endpoint.url, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('can be retried when the endpoint is down', async () => {
    const endpoint = await openHttpEndpoint(() => {});
    await endpoint[Symbol.asyncDispose]();
    await expect(post(endpoint.url)).rejects.toMatchObject({ name: 'WebhookError' });
  });

  test('reads at most 256 KiB of a response', async () => {
    await using endpoint = await openHttpEndpoint((response) => {
      response.writeHead(200);
      const pump = () => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', pump);
      pump();
    });
    await expect(post(endpoint.url)).rejects.toMatchObject({ name: 'UnrecoverableError' });
  });

  test('refuses a secret with too short a key', () => {
    expect(() => keysOf('whsec_c2hvcnQ=')).toThrow('has a key of 5 bytes');
    expect(keysOf('sixteen bytes ok')).toEqual([Buffer.from('sixteen bytes ok')]);
  });
});
