/** Nobody is locked out by sessions whose tokens are lost or stolen [M6, F13], with a process of its own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';

jest.setTimeout(120_000);

let api: ApiProcess;
afterEach(() => api?.end());

const register = async () => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  return who;
};
const logIn = async (who: object) => {
  const { status, body } = await api.call({ call: 'POST /login', body: who });
  return { status, token: String(body.token) };
};
const statusOf = async (token: string) => (await api.call({ call: 'GET /queue', token })).status;

test('whoever logs in again and again ends old sessions only, and the accepted work of the user stays', async () => {
  api = await startApi(['functions/api.ts'], { MAX_SESSIONS: '3' });
  const who = await register();
  const first = await logIn(who);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token: first.token });
  const logins = await Promise.all(Array.from({ length: 12 }, () => logIn(who)));
  expect(logins.map(({ status }) => status)).toEqual(Array(12).fill(200));
  const statuses = await Promise.all([first, ...logins].map(({ token }) => statusOf(token)));
  expect(statuses[0]).toBe(401);
  expect(statuses.filter((status) => status === 200)).toHaveLength(3);
  const { token } = await logIn(who);
  expect(await api.call({ call: 'GET /requests/1', token })).toMatchObject({ body: { status: 'queued' } });
  expect(await api.call({ call: 'GET /queue', token })).toMatchObject({ body: { state: 'open', pending: 1 } });
});

test('a user whose tokens are lost ends those sessions with a new one, and can then leave and cancel', async () => {
  api = await startApi(['functions/api.ts']);
  const who = await register();
  const lost = await Promise.all([logIn(who), logIn(who), logIn(who)]);
  const { token } = await logIn(who);
  for (const request of [1, 2]) await api.call({ call: 'POST /enqueue', body: { request }, token });
  const cancel = { call: 'POST /disconnect', body: { pending: 'cancel' } };
  expect(await api.call({ ...cancel, token })).toMatchObject({ status: 200, body: { queue: 'connected' } });
  const again = await logIn(who);
  expect(await api.call({ call: 'GET /requests/1', token: again.token })).toMatchObject({ body: { status: 'queued' } });

  expect(await api.call({ call: 'DELETE /sessions', token: again.token })).toMatchObject({ body: { ended: 3 } });
  for (const { token: ended } of lost) expect(await statusOf(ended)).toBe(401);
  expect(await api.call({ call: 'GET /queue', token: again.token })).toMatchObject({
    body: { state: 'open', pending: 2 },
  });
  expect(await api.call({ ...cancel, token: again.token })).toMatchObject({ body: { queue: 'draining' } });
  const after = await logIn(who);
  for (const seq of [1, 2]) {
    const found = await api.call({ call: `GET /requests/${seq}`, token: after.token });
    expect(found).toMatchObject({ body: { status: 'cancelled' } });
  }
});

test('of sessions that end each other at the same time one stays', async () => {
  api = await startApi(['functions/api.ts']);
  const who = await register();
  const tokens = await Promise.all(Array.from({ length: 8 }, async () => (await logIn(who)).token));
  const answers = await Promise.all(tokens.map((token) => api.call({ call: 'DELETE /sessions', token })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
  expect((await Promise.all(tokens.map(statusOf))).filter((status) => status === 200)).toHaveLength(1);
});

test('POST /disconnect with a session that has ended says what the queue is, and ends and cancels nothing', async () => {
  api = await startApi(['functions/api.ts']);
  const who = await register();
  const [ended, live] = [await logIn(who), await logIn(who)];
  for (const request of [1, 2]) await api.call({ call: 'POST /enqueue', body: { request }, token: live.token });
  await api.call({ call: 'DELETE /sessions', token: live.token });
  const cancel = { call: 'POST /disconnect', body: { pending: 'cancel' } };
  expect(await api.call({ ...cancel, token: ended.token })).toMatchObject({
    status: 200,
    body: { queue: 'connected' },
  });
  expect(await statusOf(live.token)).toBe(200);

  const leave = await api.call({ call: 'POST /disconnect', token: live.token });
  expect(leave).toMatchObject({ status: 200, body: { queue: 'draining' } });
  for (const { token } of [ended, live])
    expect(await api.call({ ...cancel, token })).toMatchObject({ status: 200, body: { queue: 'draining' } });
  const { token } = await logIn(who);
  for (const seq of [1, 2])
    expect(await api.call({ call: `GET /requests/${seq}`, token })).toMatchObject({ body: { status: 'queued' } });
});
