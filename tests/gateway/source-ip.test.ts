import { describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { sourceIpOf } from '../../lib/gateway/source-ip.ts';
import { proxies, trustsNoProxy } from '../../lib/trusted-proxies.ts';

const from = (remoteAddress: string, forwarded?: string) =>
  ({
    headers: { 'x-forwarded-for': forwarded },
    socket: { remoteAddress },
    connection: { remoteAddress },
  }) as unknown as Request;

const trusts = (list: string) => proxies.parse(list) ?? trustsNoProxy;

describe('the address of the client', () => {
  test.each([
    ['the other end of the connection', '', '203.0.113.9', undefined, '203.0.113.9'],
    ['that too, when nobody is trusted', '', '10.0.0.1', '192.0.2.1', '10.0.0.1'],
    ['that too, when others are trusted', '10.0.0.2', '10.0.0.1', '192.0.2.1', '10.0.0.1'],
    ['what a trusted proxy says', '10.0.0.0/8', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['the last one that is no trusted proxy', '10.0.0.0/8', '10.0.0.1', '192.0.2.7, 192.0.2.1, 10.0.0.3', '192.0.2.1'],
    ['the same over IPv6', 'loopback, 2001:db8::/32', '::1', '2001:db9::1, 2001:db8::5', '2001:db9::1'],
    ['the same over IPv4 in IPv6', 'loopback', '::ffff:127.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['without the port that some proxies add', 'loopback', '127.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['without the port, over IPv6', 'loopback', '127.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['that of the proxy, when the proxy says no address', 'loopback', '127.0.0.1', 'unknown', '127.0.0.1'],
  ])('is %s', (_what, trusted, remote, forwarded, expected) => {
    expect(sourceIpOf(from(remote, forwarded), trusted ? trusts(trusted) : trustsNoProxy)).toBe(expected);
  });

  test.each(['everybody', '10.0.0.0/33', '0.0.0.0/0', 'loopback;10.0.0.1', ','])(
    'refuses TRUSTED_PROXIES=%s',
    (list) => {
      expect(proxies.safeParse(list).success).toBe(false);
    },
  );
});
