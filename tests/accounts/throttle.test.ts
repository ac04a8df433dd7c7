import { describe, expect, test } from '@jest/globals';
import { delayAfter } from '../../lib/accounts/throttle.ts';
import { networkOf } from '../../lib/network.ts';

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
