/**
 * URLs of servers, checked at start. A URL may hold a password, so no message shows any part of one: what a parser says
 * about a URL is dropped, because it may quote it.
 */
import { ConnectionString } from 'mongodb-connection-string-url';
import { z } from 'zod';

const percentEncoding =
  'with special characters in the user name and the password percent-encoded (# as %23, % as %25, / as %2F, ? as %3F, @ as %40)';

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** `host` may carry a port. */
const isHost = (host: string): boolean => {
  const url = URL.parse(`server://${host}`);
  return url !== null && url.hostname !== '' && url.port !== '0' && !host.includes(',');
};

const isMongodbUrl = (text: string): boolean => {
  try {
    const { hosts, pathname, search, hash } = new ConnectionString(text);
    return hosts.every(isHost) && isDecodable(pathname + search) && hash === '';
  } catch {
    return false;
  }
};

/** What stands before the hosts, the hosts, and what stands behind them. */
const aroundHosts = /^([^:/?#]+:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/s;

/** One URL for each host that `RABBITMQ_URL` names, in that order. Only these are URLs for a parser. */
export const urlsOfHosts = (rabbitmqUrl: string): string[] => {
  const [, before = '', hosts = '', behind = ''] = aroundHosts.exec(rabbitmqUrl) ?? [];
  return hosts.split(',').map((host) => `${before}${host}${behind}`);
};

const isUrlOfHost = (text: string): boolean => {
  const url = URL.parse(text);
  if (!url || !['amqp:', 'amqps:'].includes(url.protocol) || !isHost(url.host)) return false;
  // A password with a bare /, ? or # seems to end there. What follows it, with the @, then stands after the host.
  const afterHost = url.pathname + url.search;
  return isDecodable(url.username + url.password + afterHost) && !afterHost.includes('@') && url.hash === '';
};

/** The user name and the password of a second host would seem to be the end of the first password, and no first host would be left. */
const hasBareAt = /^[^/?#]*\/\/[^/?#@]*@[^/?#@]*@/;

/** A second URL behind a comma looks like a host `amqp:`. */
const isRabbitmqUrl = (text: string): boolean => {
  if (hasBareAt.test(text)) return false;
  const urls = urlsOfHosts(text);
  return urls.every(isUrlOfHost) && (urls.length === 1 || !/,amqps?:\/\//.test(text));
};

/** `fetch` refuses a URL that holds a user name or a password. */
const isWebUrl = (text: string): boolean => {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol) || !isHost(url.host)) return false;
  return url.username === '' && url.password === '';
};

const rabbitmqForm = 'amqp://user:password@host:5672,host2:5672/vhost, or the same with amqps://';
const rabbitmqUser = 'with the user name and the password once, before all hosts';
const mongodbForm =
  'mongodb://user:password@host:27017,host2:27017/database, or mongodb+srv:// with one host and no port';

export const mongodbUrl = z.string().refine(isMongodbUrl, `must have the form ${mongodbForm}, ${percentEncoding}`);
export const rabbitmqUrl = z
  .string()
  .refine(isRabbitmqUrl, `must have the form ${rabbitmqForm}, ${percentEncoding}, and ${rabbitmqUser}`);
export const webUrl = z.string().refine(isWebUrl, 'must be an http:// or https:// URL without a user name or password');
