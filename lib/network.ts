/**
 * The network that an address belongs to, and its site. Limits count networks: whoever has one IPv6 address has 2^64 of them. Providers also
 * give whole /56 and /48: so limits that many networks could pass count sites as well.
 */
import { isIPv4, isIPv6 } from 'node:net';

const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));

/** The eight groups of an IPv6 address, without leading zeros. */
const groupsOf = (address: string): string[] => {
  // A URL has the shortest form, with every IPv4 tail as two groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  if (tail === undefined) return groups(head);
  const ends = { head: groups(head), tail: groups(tail) };
  const zeros = new Array(8 - ends.head.length - ends.tail.length).fill('0');
  return [...ends.head, ...zeros, ...ends.tail];
};

const ipv4Of = (high: string, low: string): string =>
  [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join('.');

/** An IPv4 address, or the first `count` groups of an IPv6 address. All that is no address counts as one. */
const prefixOf = (address: string, count: 3 | 4): string => {
  if (isIPv4(address)) return address;
  // A zone names the interface of the server.
  const [withoutZone = ''] = address.split('%');
  if (!isIPv6(withoutZone)) return 'unknown';
  const all = groupsOf(withoutZone);
  const isMapped = all.slice(0, 6).join(':') === '0:0:0:0:0:ffff';
  return isMapped ? ipv4Of(all[6] ?? '', all[7] ?? '') : `${all.slice(0, count).join(':')}::/${16 * count}`;
};

/** An IPv4 address, or the /64 of an IPv6 address. */
export const networkOf = (address: string): string => prefixOf(address, 4);

/** An IPv4 address, or the /48 of an IPv6 address. */
export const siteOf = (address: string): string => prefixOf(address, 3);
