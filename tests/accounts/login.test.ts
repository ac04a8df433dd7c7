import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { logIn } from '../../lib/accounts/login.ts';
import { createPasswords } from '../../lib/accounts/passwords.ts';
import { createAccount } from '../../lib/accounts/register.ts';
import { verifyToken } from '../../lib/accounts/tokens.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Passwords } from '../../lib/deps.ts';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { laneOf } from '../../lib/lane-of.ts';
import { createLogger } from '../../lib/log.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { testConfig, tokenSecret, uniqueName } from '../support/servers.ts';

const password = 'correct horse';
const log = createLogger('silent');
const address = '192.0.2.1';
const config = testConfig({ tokenTtlSeconds: 60 });
let stores: Stores;
let passwords: Passwords;
const deps = () => ({ ...stores, log, passwords, clock: systemClock, config, tokenSecrets: [tokenSecret] as const });

beforeAll(() => {
  stores = openStores(config);
  passwords = createPasswords(config);
});
afterAll(async () => {
  await passwords.close();
  await stores.drop();
  await stores.close();
});

describe('accounts', () => {
  test('registration fixes the lane, and stores a hash instead of the password', async () => {
    const { userId, username } = await createAccount({ username: uniqueName('user'), password }, deps());
    const [queue] = await stores.userQueues.get([userId]);
    expect(queue).toMatchObject({ lane: laneOf(userId, config.lanes), state: 'closed', accepted: 0, sessions: [] });
    expect((await stores.accounts.findByUsername(username))?.passwordHash).toMatch(/^\$2b\$04\$/);
  });

  test('a login opens a session that ends with its token', async () => {
    const { userId, username } = await createAccount({ username: uniqueName('user'), password }, deps());
    const { token, expiresIn } = await logIn({ username, password }, address, deps());
    expect(expiresIn).toBe(60);
    const { sessionId } = verifyToken(token, [tokenSecret], new Date());
    const [queue] = await stores.userQueues.get([userId]);
    expect(queue?.sessions).toEqual([{ id: sessionId, expiresAt: expect.any(Date) }]);
    const endsAt = queue?.sessions[0]?.expiresAt ?? new Date(0);
    expect(() => verifyToken(token, [tokenSecret], endsAt)).toThrow('expired');
  });

  test('a login creates the user queue if the registration died before it could', async () => {
    const username = uniqueName('user');
    const userId = String(await stores.accounts.create(username, await bcrypt.hash(password, 4)));
    await logIn({ username, password }, address, deps());
    const [queue] = await stores.userQueues.get([userId]);
    expect(queue).toMatchObject({ lane: laneOf(userId, config.lanes), sessions: [expect.anything()] });
  });

  describe('after BCRYPT_COST was changed', () => {
    const hashOf = async (username: string) => String((await stores.accounts.findByUsername(username))?.passwordHash);
    const raised = () => createPasswords({ ...config, bcryptCost: 5 });
    const newUser = async () => (await createAccount({ username: uniqueName('user'), password }, deps())).username;

    test('a login also replaces a hash of a higher cost', async () => {
      const username = uniqueName('user');
      await stores.accounts.create(username, await bcrypt.hash(password, 6));
      await logIn({ username, password }, address, deps());
      expect(await hashOf(username)).toMatch(/^\$2b\$04\$/);
      await logIn({ username, password }, address, deps());
    });

    test('a login replaces the hash, and the password stays the same', async () => {
      const username = await newUser();
      const after = { ...deps(), passwords: raised() };
      const wrong = logIn({ username, password: 'wrong' }, address, after);
      await expect(wrong).rejects.toMatchObject({ code: 'invalid-credentials' });
      expect(await hashOf(username)).toMatch(/^\$2b\$04\$/);
      await logIn({ username, password }, address, after);
      const renewed = await hashOf(username);
      expect(renewed).toMatch(/^\$2b\$05\$/);
      await logIn({ username, password }, address, after);
      expect(await hashOf(username)).toBe(renewed);
      await after.passwords.close();
    });

    test('a login succeeds although the hash cannot be replaced', async () => {
      const username = await newUser();
      const before = await hashOf(username);
      const replacePasswordHash = async () => {
        throw new StoreUnavailableError('MongoDB did not answer.');
      };
      const after = { ...deps(), passwords: raised(), accounts: { ...stores.accounts, replacePasswordHash } };
      expect(await logIn({ username, password }, address, after)).toMatchObject({ expiresIn: 60 });
      expect(await hashOf(username)).toBe(before);
      await after.passwords.close();
    });
  });

  test('a login takes as long for an unknown user, and for an old hash of a lower cost, as for a wrong password', async () => {
    const costly = { ...deps(), passwords: createPasswords({ ...config, bcryptCost: 10 }) };
    const wrong = { username: uniqueName('user'), spent: 0 };
    const unknown = { username: uniqueName('nobody'), spent: 0 };
    const old = { username: uniqueName('user'), spent: 0 };
    await createAccount({ username: wrong.username, password }, costly);
    await stores.accounts.create(old.username, await bcrypt.hash(password, 8));
    for (const name of [wrong, unknown, old, wrong, unknown, old, wrong, unknown, old]) {
      // CPU time, which other work on the machine does not change. The three take turns.
      const before = process.cpuUsage();
      const login = logIn({ username: name.username, password: 'wrong' }, address, costly);
      await expect(login).rejects.toMatchObject({ code: 'invalid-credentials' });
      name.spent += process.cpuUsage(before).user;
    }
    await costly.passwords.close();
    for (const { spent } of [unknown, old]) {
      expect(spent).toBeGreaterThan(wrong.spent / 2);
      expect(spent).toBeLessThan(wrong.spent * 2);
    }
  });
});
