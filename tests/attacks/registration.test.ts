/** Who may register, how often, and with what password [H4, L5], with processes of their own. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';

jest.setTimeout(120_000);

const password = 'battery staple';

const register = (api: ApiProcess, body: object = {}) =>
  api.call({ call: 'POST /register', body: { username: uniqueName('user'), password, ...body } });

test('registrations of one address are limited', async () => {
  const api = await startApi(['functions/api.ts'], { REGISTRATIONS_PER_HOUR: '3' });
  for (let registered = 0; registered < 3; registered += 1) expect((await register(api)).status).toBe(201);
  const answer = await register(api);
  expect(answer).toMatchObject({ status: 429, body: { code: 'too-many-calls' } });
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  await api.end();
});

test('nobody can register when registration is closed, and the log names the address of whoever tries', async () => {
  const api = await startApi(['functions/api.ts'], { REGISTRATION: 'closed' });
  expect(await register(api)).toMatchObject({ status: 403, body: { code: 'registration-closed' } });
  expect((await api.end()).output).toMatch(/"address":"127\.0\.0\.1","code":"registration-closed"/);
});

describe('a password', () => {
  const username = uniqueName('Somebody');
  let api: ApiProcess;
  beforeAll(async () => {
    api = await startApi(['functions/api.ts']);
  });
  afterAll(() => api?.end());

  test.each(['password', 'PassWord', '12345678', 'qwertyuiop', 'iloveyou', username, username.toLowerCase()])(
    'that is guessed first is refused: %s',
    async (weak) => {
      const answer = await register(api, { username, password: weak });
      expect(answer).toMatchObject({ status: 400, body: { code: 'weak-password' } });
    },
  );

  test.each([
    ['NUL', '\0'.repeat(8)],
    ['NUL at its end', `${password}\0`],
    ['half a surrogate pair', `${password}\ud800`],
  ])('that bcrypt would confuse with another is refused: %s', async (_what, confused) => {
    const answer = await register(api, { username, password: confused });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  test.each(['correct horse', 'pässwörter sind länger', '🐴🔋📎🐴', `${username}1`])(
    'of another kind is accepted, and logs in: %s',
    async (good) => {
      const who = { username: uniqueName('user'), password: good };
      expect(await register(api, who)).toMatchObject({ status: 201 });
      expect(await api.call({ call: 'POST /login', body: who })).toMatchObject({ status: 200 });
    },
  );
});

describe('when registration needs an invite', () => {
  const invite = 'the invite of the tests';
  let api: ApiProcess;
  beforeAll(async () => {
    const settings = { REGISTRATION: 'invite', INVITE_SECRET: invite, REGISTRATIONS_PER_HOUR: '8' };
    api = await startApi(['functions/api.ts'], settings);
  });
  afterAll(() => api?.end());

  test('whoever has it can register', async () => {
    expect(await register(api, { invite })).toMatchObject({ status: 201 });
  });

  test.each([undefined, '', `${invite}!`, invite.slice(1)])('%j is refused', async (given) => {
    expect(await register(api, { invite: given })).toMatchObject({ status: 403, body: { code: 'invalid-invite' } });
  });

  test('guesses at it are limited', async () => {
    const answers = [];
    for (let guesses = 0; guesses < 8; guesses += 1) answers.push(await register(api, { invite: `guess ${guesses}` }));
    expect(answers.at(-1)).toMatchObject({ status: 429 });
  });
});
