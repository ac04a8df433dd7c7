import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { beginLogin, delayAfter, limitAddress } from '../../lib/accounts/throttle.ts';
import { networkOf, siteOf } from '../../lib/network.ts';
import type { CounterStore } from '../../lib/ports.ts';

test('the delay doubles with each failure after the fifth, up to the longest', () => {
  const delays = Array.from({ length: 14 }, (_, failures) => delayAfter(failures, 60));
  expect(delays).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  expect(delayAfter(100_000, 60)).toBe(60);
});

describe('the network of an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::5:6:7:8', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::192.0.2.1', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', 'unknown'],
    ['192.0.2.256', 'unknown'],
    ['192.0.2.1:80', 'unknown'],
    ['a name', 'unknown'],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('the site of an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['::1', '0:0:0::/48'],
    ['a name', 'unknown'],
  ])('%s is %s', (address, site) => {
    expect(siteOf(address)).toBe(site);
  });
});

describe('the limit of calls', () => {
  /** How many of these addresses may call before one is refused, where a network may call twice. */
  const callsOf = async (addresses: string[]): Promise<number> => {
    const counts = new Map<string, number>();
    const take: CounterStore['take'] = async (key, { limit }) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return counts.get(key)! > limit ? 1_000 : undefined;
    };
    const counters = { ...memoryCounters(), take };
    for (const [calls, address] of addresses.entries()) {
      const allowed = await limitAddress('logins', address, { limit: 2, seconds: 60 }, { counters }).then(
        () => true,
        (error) => error.code !== 'too-many-calls',
      );
      if (!allowed) return calls;
    }
    return addresses.length;
  };
  const many = (address: (index: number) => string) => Array.from({ length: 100 }, (_, index) => address(index));

  test('of an IPv6 network is that of an IPv4 address', async () => {
    expect(await callsOf(many(() => '192.0.2.1'))).toBe(2);
    expect(await callsOf(many((index) => `2001:db8:0:1::${index}`))).toBe(2);
  });

  test('of a /48 is that of sixteen networks, so that a caller with 65,536 of them is limited too', async () => {
    expect(await callsOf(many((index) => `2001:db8:0:${index}::1`))).toBe(32);
    expect(await callsOf(many((index) => `2001:db8:${index}::1`))).toBe(100);
    expect(await callsOf(many((index) => `192.0.2.${index}`))).toBe(100);
  });
});

/** Counters of one process, in memory, whose times never end. */
const memoryCounters = () => {
  const counts = new Map<string, { count: number; msLeft: number }>();
  const counters: CounterStore = {
    take: async () => undefined,
    add: async (key, seconds) => {
      const { count, msLeft } = counts.get(key) ?? { count: 0, msLeft: seconds * 1_000 };
      counts.set(key, { count: count + 1, msLeft });
      return { count: count + 1, msLeft };
    },
    read: async (key) => counts.get(key),
    set: async (key, count, seconds) => void counts.set(key, { count, msLeft: seconds * 1_000 }),
    remove: async (key) => void counts.delete(key),
  };
  const endWaits = () => {
    for (const key of counts.keys()) if (key.startsWith('wait:')) counts.delete(key);
  };
  return { ...counters, endWaits };
};

const config = { loginMaxDelaySeconds: 60 };
const ada = (address: string) => ({ username: 'ada', address });

/** An account at which so many logins have failed that every new network has to wait first. */
const guessedAt = async (counters: CounterStore) => {
  for (let network = 0; network < 20; network += 1) {
    const login = await beginLogin(ada(`198.51.100.${network}`), { counters, config });
    await login.failed();
  }
};

describe('of simultaneous first logins from a network that has to wait first', () => {
  test.each([
    ['wait', 1],
    ['wait', 2],
    ['failed', 1],
    ['failed', 2],
  ])('none goes on when the counter %s answers number %s late', async (kind, late) => {
    const quiet = memoryCounters();
    await guessedAt(quiet);
    let asked = 0;
    const held = Promise.withResolvers<void>();
    const counters: CounterStore = {
      ...quiet,
      add: async (key, seconds) => {
        if (key.startsWith(`${kind}:`) && ++asked === late) await held.promise;
        return quiet.add(key, seconds);
      },
    };
    const logins = [1, 2].map(() => beginLogin(ada('203.0.113.1'), { counters, config }).then(() => 'goes on'));
    const outcomes = Promise.allSettled(logins);
    await setImmediate();
    held.resolve();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'login-delayed' } });
    }
  });
});

test('of simultaneous logins after the first wait one goes on', async () => {
  const counters = memoryCounters();
  await guessedAt(counters);
  const begin = () => beginLogin(ada('203.0.113.1'), { counters, config });
  await expect(begin()).rejects.toMatchObject({ code: 'login-delayed' });
  counters.endWaits();
  const outcomes = await Promise.allSettled([begin(), begin(), begin()]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});
