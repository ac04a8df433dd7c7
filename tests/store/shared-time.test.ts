/** Processes on hosts whose clocks differ by two minutes, on a real MongoDB. */
import { expect, test } from '@jest/globals';
import { logIn } from '../../lib/accounts/login.ts';
import { createPasswords } from '../../lib/accounts/passwords.ts';
import { createAccount } from '../../lib/accounts/register.ts';
import { verifyToken } from '../../lib/accounts/tokens.ts';
import { createSweep } from '../../lib/lanes/sweep.ts';
import { createLogger } from '../../lib/log.ts';
import { openStores } from '../../lib/store/stores.ts';
import { testConfig } from '../support/servers.ts';
import { settableClock } from '../support/settable-clock.ts';

const config = testConfig({ tokenTtlSeconds: 30, bcryptCost: 4 });
const tokenSecret = 'a secret of more than thirty-two characters';
const credentials = { username: 'ada', password: 'correct horse' };

/** A process on a host whose clock is ahead by so much. */
const openProcess = (aheadMs: number) => {
  const host = settableClock(aheadMs);
  const stores = openStores(config, undefined, host.clock);
  return {
    ...stores,
    log: createLogger('silent'),
    passwords: createPasswords(config),
    host,
    config,
    tokenSecrets: [tokenSecret] as const,
  };
};

const processes = (): ReturnType<typeof openProcess>[] & AsyncDisposable => {
  const opened = [60_000, -60_000].map(openProcess);
  return Object.assign(opened, {
    async [Symbol.asyncDispose]() {
      await opened[0]?.drop();
      await Promise.all(opened.flatMap((one) => [one.close(), one.passwords.close()]));
    },
  });
};

test('all processes read the same time, also after the clock of a host was set', async () => {
  await using opened = processes();
  const [ahead, behind] = [opened[0]!, opened[1]!];
  await Promise.all([ahead.timeKnown(), behind.timeKnown()]);
  const differMs = () => Math.abs(ahead.clock.now().getTime() - behind.clock.now().getTime());
  expect(differMs()).toBeLessThan(2_000);
  ahead.host.set(-3_600_000);
  expect(differMs()).toBeLessThan(2_000);
  await ahead.ping();
  expect(differMs()).toBeLessThan(2_000);
});

test('a session of 30 s lives on hosts whose clocks differ by two minutes, and through a sweep of each', async () => {
  await using opened = processes();
  for (const [index, from] of opened.entries()) {
    const name = { ...credentials, username: `ada-${index}` };
    await createAccount(name, from);
    const { token } = await logIn(name, '192.0.2.1', from);
    for (const at of opened) {
      await at.timeKnown();
      const { userId, sessionId } = verifyToken(token, [tokenSecret], at.clock.now());
      const publisher = { publishWake: async () => 'routed' as const };
      await createSweep({ ...at, publisher }, () => undefined)();
      expect(await at.userQueues.takeTicket(userId, sessionId, at.clock.now())).toBeDefined();
    }
  }
});
