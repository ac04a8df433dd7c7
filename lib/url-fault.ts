/** What makes a URL unusable, said without showing any of it: it may hold a password. */

export type ServerUrlRules = {
  schemes: string[];
  /** Those whose servers are found by one name, without a port. */
  portless?: string[];
  /** As a MongoDB URL may name several hosts, and its driver takes no bare @ in a password. */
  severalHosts?: boolean;
};

type Parts = { scheme: string; login: string; hosts: string[]; behind: string };

const split = (url: string): Parts => {
  const [, scheme = '', authority = '', behind = ''] = /^([^:]*):\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  const at = authority.lastIndexOf('@');
  return { scheme, login: authority.slice(0, Math.max(at, 0)), hosts: authority.slice(at + 1).split(','), behind };
};

const schemeFault = ({ scheme }: Parts, schemes: string[]): string | undefined =>
  schemes.includes(scheme) ? undefined : `must start with ${schemes.map((name) => `${name}://`).join(' or ')}`;

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** What was meant for a user name or password and ends it, or means something else. */
const encodingFault = ({ login, behind }: Parts, severalHosts: boolean): string | undefined => {
  if (behind.includes('#')) return 'has a #: in a user name or password it is written %23';
  if (!login && behind.includes('@'))
    return 'has an @ behind its host: in a user name or password / is written %2F, ? %3F, and elsewhere @ %40';
  if (severalHosts && login.includes('@')) return 'has more than one @: in a user name or password it is written %40';
  if (!isDecodable(login) || !isDecodable(behind)) return 'has a % that begins no code: it is written %25';
  return undefined;
};

const hostFault = (host: string): string | undefined => {
  const [, name, port = '1'] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(host) ?? [];
  if (!name) return 'must name a host';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return 'has a port that is not 1 to 65535';
  return URL.canParse(`server://${name}`) ? undefined : 'has a host that is no name and no address';
};

const hostsFault = ({ scheme, hosts }: Parts, portless: string[], severalHosts: boolean): string | undefined => {
  if (portless.includes(scheme) && (hosts.length > 1 || hosts[0]?.includes(':')))
    return 'must name one host and no port';
  if (!severalHosts && hosts.length > 1) return 'must name one host';
  return hosts.map(hostFault).find((fault) => fault !== undefined);
};

/** Of a URL that a server's driver reads. */
export const serverUrlFault = (url: string, rules: ServerUrlRules): string | undefined => {
  const { schemes, portless = [], severalHosts = false } = rules;
  const parts = split(url);
  return schemeFault(parts, schemes) ?? encodingFault(parts, severalHosts) ?? hostsFault(parts, portless, severalHosts);
};

/** Of a URL that `fetch` takes, which refuses a user name in it. */
export const webUrlFault = (url: string): string | undefined => {
  const parts = split(url);
  const fault = schemeFault(parts, ['http', 'https']) ?? hostsFault(parts, [], false);
  return fault ?? (parts.login ? 'must not hold a user name or password' : undefined);
};
