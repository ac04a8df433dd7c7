/** Bodies and headers at the edges [L1, L9, L10, E2], over HTTP. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';

jest.setTimeout(120_000);

let api: ApiProcess;
let token: string;
beforeAll(async () => {
  api = await startApi(['functions/api.ts']);
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  token = String((await api.call({ call: 'POST /login', body: who })).body.token);
});
afterAll(() => api?.end());

const post = async (body: string | Uint8Array<ArrayBuffer>, headers: [string, string][] = []) => {
  const response = await fetch(`http://127.0.0.1:${api.port}/enqueue`, {
    method: 'POST',
    headers: new Headers([['content-type', 'application/json'], ['authorization', `Bearer ${token}`], ...headers]),
    body,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};

const bytes = (text: string, encoding: BufferEncoding = 'latin1') => new Uint8Array(Buffer.from(text, encoding));

test('a body that is not UTF-8 is refused, whatever its type', async () => {
  for (const type of ['application/json', 'application/octet-stream']) {
    const answer = await post(bytes('{"request":"\xff\xfe"}'), [['content-type', type]]);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-json' } });
  }
});

test('a body of another charset is refused, and UTF-8 may be named', async () => {
  const typed = (type: string) =>
    fetch(`http://127.0.0.1:${api.port}/enqueue`, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${token}` },
      body: '{"request":1}',
    });
  const refused = await typed('application/json; charset=iso-8859-1');
  expect([refused.status, await refused.json()]).toMatchObject([415, { code: 'unsupported-charset' }]);
  for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
    expect((await typed(`application/json;charset=${charset}`)).status).toBe(202);
  }
});

test('a byte order mark is ignored, as text and as bytes', async () => {
  expect(await post('\uFEFF{"request":1}')).toMatchObject({ status: 202 });
  const asBytes = bytes('\uFEFF{"request":1}', 'utf8');
  expect(await post(asBytes, [['content-type', 'application/octet-stream']])).toMatchObject({ status: 202 });
});

test('two Idempotency-Key headers are refused', async () => {
  const answer = await post('{"request":1}', [
    ['idempotency-key', 'a'],
    ['idempotency-key', 'b'],
  ]);
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('Idempotency-Key') } });
});

test('no answer may be taken for another type', async () => {
  const answers = [await post('{"request":1}'), await post('{'), await fetch(`http://127.0.0.1:${api.port}/nowhere`)];
  for (const { headers } of answers) expect(headers.get('x-content-type-options')).toBe('nosniff');
});
