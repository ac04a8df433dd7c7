/** What repeats of large requests may cost the other calls, with a process of its own. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(120_000);

/** Equal JSON, which takes most of the time of a comparison to find out. */
const numbers = 20_000;
const spelledAs = (number: string) => `{"request":[${`${number},`.repeat(numbers)}1]}`;

let api: ApiProcess;
let token: string;
let tokenOfOther: string;
const newUser = async () => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  return String((await api.call({ call: 'POST /login', body: who })).body.token);
};
beforeAll(async () => {
  api = await startApi(['functions/api.ts'], { GRACE_MS: '0' });
  token = await newUser();
  tokenOfOther = await newUser();
});
afterAll(() => api?.end());

const enqueue = (text: string, ofUser = token) => {
  const headers = { 'idempotency-key': 'one', 'content-type': 'application/json' };
  return api.call({ call: 'POST /enqueue', text, token: ofUser, headers });
};

test('while large repeats are compared the API answers other calls, refuses further ones of that user as busy, and serves others', async () => {
  expect(await enqueue(spelledAs('1'))).toMatchObject({ status: 202, body: { seq: 1 } });
  expect(await enqueue(spelledAs('1.0'))).toMatchObject({ status: 202, body: { seq: 1 } });
  expect(await enqueue(spelledAs('2.0'))).toMatchObject({ status: 422 });
  expect(await enqueue(spelledAs('1'), tokenOfOther)).toMatchObject({ status: 202, body: { seq: 1 } });

  const answers: Awaited<ReturnType<typeof enqueue>>[] = [];
  const storm = Array.from({ length: 40 }, async () => void answers.push(await enqueue(spelledAs('1.0'))));
  const refused = await eventually('one is refused', async () => answers.find(({ status }) => status === 503), 60_000);
  expect(refused).toMatchObject({ body: { code: 'busy' }, headers: { 'retry-after': '1' } });
  expect(await api.call({ call: 'GET /livez' })).toMatchObject({ status: 200 });
  expect(await enqueue(spelledAs('1.0'), tokenOfOther)).toMatchObject({ status: 202, body: { seq: 1 } });
  await Promise.all(storm);
  for (const { status } of answers) expect([202, 503]).toContain(status);
  expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(2);
  expect(await enqueue(spelledAs('1.0'))).toMatchObject({ status: 202, body: { seq: 1 } });
});
