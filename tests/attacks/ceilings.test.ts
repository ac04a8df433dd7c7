/** A request must not lift the operator's limits of its runs [H2]. */
import { expect, jest, test } from '@jest/globals';
import { startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';

jest.setTimeout(120_000);

test('a request may not set a longer timeout or more attempts than the operator allows', async () => {
  const api = await startApi(['functions/api.ts'], { MAX_RUN_TIMEOUT_MS: '2000', MAX_REQUEST_ATTEMPTS: '3' });
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  const token = String((await api.call({ call: 'POST /login', body: who })).body.token);
  const enqueue = (limits: object) => api.call({ call: 'POST /enqueue', body: { request: 1, ...limits }, token });
  expect(await enqueue({ timeoutMs: 2_000, maxAttempts: 3 })).toMatchObject({ status: 202 });
  expect(await enqueue({ timeoutMs: 2_001 })).toMatchObject({
    status: 400,
    body: { detail: 'body.timeoutMs: may be at most 2000 here (MAX_RUN_TIMEOUT_MS)' },
  });
  expect(await enqueue({ maxAttempts: 4 })).toMatchObject({
    status: 400,
    body: { detail: 'body.maxAttempts: may be at most 3 here (MAX_REQUEST_ATTEMPTS)' },
  });
  await api.end();
});
