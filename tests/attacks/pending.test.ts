/** What one user may have pending, and how fast [M10], with a process of its own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import type { Answer } from '../http/drivers.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(120_000);

let api: ApiProcess;
afterEach(() => api?.end());

const kib = 1_024;

const loggedIn = async (): Promise<string> => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  return String((await api.call({ call: 'POST /login', body: who })).body.token);
};

/** Sends `count` requests of `bytes` bytes at once. Resolves to their answers. */
const flood = (token: string, count: number, bytes: number) => {
  const request = 'x'.repeat(bytes - 2);
  return Promise.all(
    Array.from({ length: count }, () => api.call({ call: 'POST /enqueue', body: { request }, token })),
  );
};

const withStatus = (status: number, answers: Answer[]) => answers.filter((answer) => answer.status === status);

test('however many large requests a user sends at once, no more bytes are pending than the limit, and others are served', async () => {
  api = await startApi(['functions/api.ts'], { MAX_PENDING_BYTES: String(1_024 * kib) });
  const [greedy, other] = [await loggedIn(), await loggedIn()];
  const answers = await flood(greedy, 20, 200 * kib);
  expect(withStatus(202, answers)).toHaveLength(5);
  for (const refused of withStatus(429, answers)) {
    expect(refused.body.code).toBe('too-many-pending');
    expect(refused.headers['retry-after']).toBe('1');
  }
  const refused = await api.call({
    call: 'POST /enqueue',
    body: { request: 'x'.repeat(200 * kib - 2) },
    token: greedy,
  });
  expect(refused.body.detail).toBe(
    `5 requests with ${1_000 * kib} bytes are pending, and this one has ${200 * kib} bytes; the limit is ${1_024 * kib} bytes ` +
      '(MAX_PENDING_BYTES). Wait until some of them are settled, or cancel some.',
  );
  expect(withStatus(202, await flood(greedy, 1, 24 * kib))).toHaveLength(1);
  expect(withStatus(202, await flood(other, 5, 200 * kib))).toHaveLength(5);

  expect(await api.call({ call: 'DELETE /requests/3', token: greedy })).toMatchObject({ status: 200 });
  const again = await eventually('there is room again', async () => {
    const [answer] = await flood(greedy, 1, 200 * kib);
    return answer?.status === 202 && answer;
  });
  expect(again.body.seq).toBe(7);
});

test('a user who enqueues faster than ENQUEUE_RATE is told when to go on, and other users are not', async () => {
  api = await startApi(['functions/api.ts'], { ENQUEUE_RATE: '5' });
  const [fast, other] = [await loggedIn(), await loggedIn()];
  const startedAt = performance.now();
  const answers = await flood(fast, 60, 10);
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(withStatus(202, answers).length).toBeGreaterThanOrEqual(5);
  expect(withStatus(202, answers).length).toBeLessThanOrEqual(6 + 5 * seconds);
  expect(withStatus(429, answers).length).toBe(60 - withStatus(202, answers).length);
  for (const refused of withStatus(429, answers)) {
    expect(refused.body.code).toBe('enqueue-rate-exceeded');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  }
  expect(withStatus(202, await flood(other, 5, 10))).toHaveLength(5);
  await eventually('the user may go on', async () => withStatus(202, await flood(fast, 1, 10)).length === 1);
});
