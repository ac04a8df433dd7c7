/** What logins may cost the other calls [H3], with a process of its own. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(120_000);

/** One hash takes most of a second at this cost, so that the other calls have to be answered while it is under way. */
const environment = {
  BCRYPT_COST: '13',
  HASH_THREADS: '1',
  MAX_WAITING_HASHES: '8',
  GRACE_MS: '0',
  TRUSTED_PROXIES: 'loopback',
};

let api: ApiProcess;
beforeAll(async () => {
  api = await startApi(['functions/api.ts'], environment);
});
afterAll(() => api?.end());

let addresses = 0;

/** From a network of its own, as a network may hold only one of these places. Without an answer when the API ends first. */
const logInAsNobody = async () => {
  const body = { username: uniqueName('nobody'), password: 'battery staple' };
  addresses += 1;
  const headers = { 'x-forwarded-for': `198.18.${addresses >> 8}.${addresses & 255}` };
  return api.call({ call: 'POST /login', body, headers }).catch(() => undefined);
};

test('while passwords are hashed the API answers all other calls, and refuses further logins', async () => {
  const who = { username: uniqueName('user'), password: 'battery staple' };
  await api.call({ call: 'POST /register', body: who });
  const { token } = (await api.call({ call: 'POST /login', body: who })).body as { token: string };

  let hashed = 0;
  const storm = Array.from({ length: 10 }, () =>
    logInAsNobody().then((answer) => {
      // Not those that were refused because they had waited for too long.
      if (answer?.status === 401) hashed += 1;
    }),
  );
  const refused = await eventually('there is no room for one more', async () => {
    const answer = await Promise.race([logInAsNobody(), storm[0]]);
    return answer?.status === 503 && answer;
  });
  expect(refused).toMatchObject({ body: { code: 'busy' }, headers: { 'retry-after': '1' } });

  const before = hashed;
  for (let call = 0; call < 10; call += 1) {
    expect(await api.call({ call: 'POST /enqueue', body: { request: call }, token })).toMatchObject({ status: 202 });
  }
  // Ten calls take a fraction of one hash. In the thread of the hashes they would have waited for all of them.
  expect(hashed - before).toBeLessThan(storm.length / 2);
  expect((await api.end()).status).toBe(0);
  await Promise.all(storm);
});
