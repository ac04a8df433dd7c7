/** What guessing passwords costs, and what it must not cost the owner of the account [H4], with processes of their own. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { openStores } from '../../lib/store/stores.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(120_000);

const password = 'battery staple';
/** A short delay, so that the owner does not wait for long here. */
const throttled = { TRUSTED_PROXIES: 'loopback', LOGIN_MAX_DELAY_SECONDS: '2' };

let addresses = 0;
/** From the range that is reserved for benchmarks. */
const newAddress = (): string => {
  addresses += 1;
  return `198.18.${addresses >> 8}.${addresses & 255}`;
};

const dropDatabase = async (url: string): Promise<void> => {
  const stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000 });
  await stores.drop();
  await stores.close();
};

const callsTo = (api: ApiProcess) => {
  const logIn = (username: string, given: string, from: string) =>
    api.call({ call: 'POST /login', body: { username, password: given }, headers: { 'x-forwarded-for': from } });
  return {
    logIn,
    guess: async (username: string, from: string) => (await logIn(username, 'a wrong guess', from)).status,
    newUser: async (): Promise<string> => {
      const username = uniqueName('user');
      const register = () => api.call({ call: 'POST /register', body: { username, password } });
      await eventually('the user is registered', async () => [201, 409].includes((await register()).status), 30_000);
      return username;
    },
  };
};

/** Guesses until one is refused, and returns the refusal and how many were checked before it. */
const guessUntilRefused = async (guess: () => Promise<{ status: number; headers: Record<string, string> }>) => {
  for (let checked = 0; checked < 100; checked += 1) {
    const answer = await guess();
    if (answer.status !== 401) return { checked, answer };
  }
  throw new Error('No guess was refused.');
};

describe('guesses at one account', () => {
  const MONGODB_URL = mongodbUrl(uniqueName('guessing'));
  let api: ApiProcess;
  let other: ApiProcess;
  beforeAll(async () => {
    [api, other] = await Promise.all([
      startApi(['functions/api.ts'], { ...throttled, MONGODB_URL }),
      startApi(['functions/api.ts'], { ...throttled, MONGODB_URL }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([api?.end(), other?.end()]);
    await dropDatabase(MONGODB_URL);
  });

  test.each(['a known', 'an unknown'])(
    'of %s name are refused after a few, by every process, and 429 says when to try again',
    async (which) => {
      const { logIn, guess, newUser } = callsTo(api);
      // The first delay is one second. Where both calls after it come later than that, another name is tried.
      const bothRefuse = async () => {
        const username = which === 'a known' ? await newUser() : uniqueName('nobody');
        const from = newAddress();
        for (let checked = 0; checked < 5; checked += 1) expect(await guess(username, from)).toBe(401);
        const [answer, status] = await Promise.all([
          logIn(username, 'a wrong guess', from),
          callsTo(other).guess(username, from),
        ]);
        return answer.status === 429 && status === 429 && answer;
      };
      const refused = await eventually('both processes refuse the sixth', bothRefuse, 60_000);
      expect(refused).toMatchObject({ body: { code: 'login-delayed' }, headers: { 'retry-after': '1' } });
    },
  );

  test('wait longer after each, up to the limit; then the right password works, and failures count from 0', async () => {
    const { logIn, guess, newUser } = callsTo(api);
    const username = await newUser();
    const from = newAddress();
    const delays: number[] = [];
    const isLonger = async () => {
      const { status, headers } = await logIn(username, 'a wrong guess', from);
      if (status === 429) delays.push(Number(headers['retry-after']));
      return delays.includes(2);
    };
    await eventually('the delay has been longer than a second', isLonger, 30_000);
    expect(Math.max(...delays)).toBe(2);
    const isLetIn = async () => (await logIn(username, password, from)).status === 200;
    await eventually('the owner is let in', isLetIn, 30_000);
    for (let failures = 0; failures < 5; failures += 1) expect(await guess(username, from)).toBe(401);
  });

  test('many at once are no way around the delay', async () => {
    const { guess, newUser } = callsTo(api);
    const username = await newUser();
    const from = newAddress();
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess(username, from)));
    // Five, and one for each second that the calls take.
    expect(answers.filter((status) => status === 401).length).toBeLessThan(20);
  });

  test('from many addresses are refused too, and can keep the owner out neither of a known address nor of a new one', async () => {
    const { logIn, guess, newUser } = callsTo(api);
    const username = await newUser();
    const home = newAddress();
    expect((await logIn(username, password, home)).status).toBe(200);

    let stopped = false;
    let refused = 0;
    const guessFromEverywhere = async () => {
      while (!stopped) if ((await guess(username, newAddress())) === 429) refused += 1;
    };
    const guessers = Array.from({ length: 4 }, guessFromEverywhere);
    try {
      await eventually('new addresses are refused at once', () => refused > 20, 30_000);

      expect((await logIn(username, password, home)).status).toBe(200);
      const abroad = newAddress();
      expect(await logIn(username, password, abroad)).toMatchObject({ status: 429, body: { code: 'login-delayed' } });
      const hasTurn = async () => (await logIn(username, password, abroad)).status === 200;
      await eventually('it is the turn of the new address', hasTurn, 30_000);
    } finally {
      stopped = true;
      await Promise.all(guessers);
    }
  });
});

describe('logins of one address', () => {
  const limits = { LOGINS_PER_MINUTE: '10', LOGIN_MAX_DELAY_SECONDS: '0' };

  test('are limited whatever names they are for, and those of another address are not', async () => {
    const api = await startApi(['functions/api.ts'], { ...limits, TRUSTED_PROXIES: '127.0.0.0/8,::1' });
    const { logIn, guess } = callsTo(api);
    const from = newAddress();
    const { checked, answer } = await guessUntilRefused(() => logIn(uniqueName('nobody'), password, from));
    expect(checked).toBe(10);
    expect(answer).toMatchObject({ status: 429, body: { code: 'too-many-calls' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await guess(uniqueName('nobody'), newAddress())).toBe(401);
    // What the client itself put in front does not count.
    expect(await guess(uniqueName('nobody'), `${newAddress()}, ${from}`)).toBe(429);

    let host = 0;
    const ofOneNetwork = async () => {
      host += 1;
      return logIn(uniqueName('nobody'), password, `2001:db8:0:1:${host.toString(16)}::1`);
    };
    expect((await guessUntilRefused(ofOneNetwork)).checked).toBe(10);
    expect(await guess(uniqueName('nobody'), '2001:db8:0:2::1')).toBe(401);
    await api.end();
  });

  test('cannot be made to look like those of others: X-Forwarded-For counts from trusted proxies only', async () => {
    const api = await startApi(['functions/api.ts'], { ...limits, TRUSTED_PROXIES: '192.0.2.1' });
    const { logIn } = callsTo(api);
    const { checked } = await guessUntilRefused(() => logIn(uniqueName('nobody'), password, newAddress()));
    expect(checked).toBe(10);
    await api.end();
  });
});

test('while MongoDB does not answer a login is refused in time, and it works again afterwards', async () => {
  const name = uniqueName('guessing');
  const proxy = await startProxyTo(mongodbUrl(name));
  const api = await startApi(['functions/api.ts'], {
    MONGODB_URL: proxy.url,
    STORE_TIMEOUT_MS: '1000',
    LOGINS_PER_MINUTE: '1000',
  });
  const { newUser, logIn } = callsTo(api);
  const username = await newUser();
  proxy.freeze();
  const refused = await Promise.all(Array.from({ length: 20 }, () => logIn(username, password, newAddress())));
  for (const answer of refused) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'store-unavailable' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  }
  proxy.thaw();
  const logsIn = async () => (await logIn(username, password, newAddress())).status === 200;
  await eventually('the login succeeds', logsIn, 30_000);
  await api.end();
  await proxy.close();
  await dropDatabase(mongodbUrl(name));
});
