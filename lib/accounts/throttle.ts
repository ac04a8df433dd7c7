/**
 * What guesses and registrations cost their caller. The counters are in the store, so that all processes share them. See
 * docs/decisions/0026-throttling-logins.md for what they bound, and what an owner of a name can rely on.
 */
import { createHash } from 'node:crypto';
import type { Deps } from '../deps.ts';
import { networkOf, siteOf } from '../network.ts';
import { AddressLimitError, LoginDelayedError } from './errors.ts';

/** Failed logins from one network before the delay starts: a person mistypes. */
const freeFailures = 5;
/** Failed logins at one account, from all networks, before every network that is new to it must wait. */
const freeFailuresOfAccount = 20;
const daySeconds = 86_400;
/** Failures count for this long after the first. */
const failuresSeconds = daySeconds;
/** A network counts as known for this long after a login from it. */
const knownSeconds = 30 * daySeconds;

/** The delay after so many failures: 1 s, 2 s, 4 s and so on, up to `maxSeconds`. */
export const delayAfter = (failures: number, maxSeconds: number): number =>
  failures < freeFailures ? 0 : Math.min(maxSeconds, 2 ** (failures - freeFailures));

/**
 * A site has this many times the calls of a network: a /48 may be one household or a few hundred, and whoever has it to himself has 65,536
 * networks.
 */
const networksPerSite = 16;

/**
 * Counts a call of a network and of its site. Limit 0 means no limit.
 *
 * @throws {AddressLimitError} 429
 */
export const limitAddress = async (
  what: 'logins' | 'registrations',
  address: string,
  allowed: { limit: number; seconds: number },
  { counters }: Pick<Deps, 'counters'>,
): Promise<void> => {
  if (allowed.limit === 0) return;
  const [network, site] = [networkOf(address), siteOf(address)];
  const take = async (whose: string, { limit, seconds }: typeof allowed): Promise<void> => {
    const msLeft = await counters.take(`${what}:${whose}`, { limit, seconds });
    if (msLeft !== undefined) throw new AddressLimitError(what, { limit, seconds, msLeft });
  };
  await take(network, allowed);
  // After the network's own limit: what that refuses does not use up the calls of its neighbors.
  if (site !== network) await take(site, { ...allowed, limit: allowed.limit * networksPerSite });
};

/** Of a fixed size, and without the name: people type a password where the name belongs. */
const keyOf = (what: string, ...values: string[]): string =>
  `${what}:${createHash('sha256').update(JSON.stringify(values)).digest('base64url')}`;

const keysOf = (username: string, address: string) => {
  const name = username.toLowerCase();
  const network = networkOf(address);
  return {
    /** Failed logins of the account from everywhere. */
    account: keyOf('failed', name),
    /** Failed logins of the account from this network since the last one that succeeded. */
    own: keyOf('failed', name, network),
    /** Exists while the network has to wait. */
    wait: keyOf('wait', name, network),
    /** Exists when a login to the account succeeded from this network. */
    known: keyOf('known', name, network),
  };
};

type Begun = Pick<Deps, 'counters'> & { keys: ReturnType<typeof keysOf>; maxSeconds: number };

/** Counted before the password is checked, or many logins at once would all be free. Of several at once one goes on. */
const beginAsUsual = async ({ counters, keys, maxSeconds }: Begun): Promise<void> => {
  const { count } = await counters.add(keys.own, failuresSeconds);
  const seconds = delayAfter(count, maxSeconds);
  if (seconds === 0) return;
  const wait = await counters.add(keys.wait, seconds);
  if (wait.count > 1) throw new LoginDelayedError(wait.msLeft);
};

/**
 * The first login of a stranger only starts the wait. The wait is counted first: so who starts it also counts first, and of several first logins
 * at once none goes on.
 */
const beginAsStranger = async ({ counters, keys, maxSeconds }: Begun, excess: number): Promise<void> => {
  const { count: before } = (await counters.read(keys.own)) ?? { count: 0 };
  const wait = await counters.add(keys.wait, delayAfter(Math.max(before + 1, freeFailures + excess), maxSeconds));
  if (wait.count > 1) throw new LoginDelayedError(wait.msLeft);
  const { count } = await counters.add(keys.own, failuresSeconds);
  if (count === 1) throw new LoginDelayedError(wait.msLeft);
};

export type BegunLogin = { succeeded(): Promise<void>; failed(): Promise<void> };

const notCounted: BegunLogin = { succeeded: async () => undefined, failed: async () => undefined };

/**
 * Begins a login to an account, known or unknown. What is refused here does not count as failed, and no other network can take
 * the turn of this one.
 *
 * @throws {LoginDelayedError} 429
 */
export const beginLogin = async (
  { username, address }: { username: string; address: string },
  { counters, config }: Pick<Deps, 'counters'> & { config: Pick<Deps['config'], 'loginMaxDelaySeconds'> },
): Promise<BegunLogin> => {
  if (config.loginMaxDelaySeconds === 0) return notCounted;
  const keys = keysOf(username, address);
  const [waiting, ofAccount] = await Promise.all([counters.read(keys.wait), counters.read(keys.account)]);
  if (waiting) throw new LoginDelayedError(waiting.msLeft);
  const excess = (ofAccount?.count ?? 0) - freeFailuresOfAccount;
  const isStranger = excess >= 0 && (await counters.read(keys.known)) === undefined;
  const begun = { counters, keys, maxSeconds: config.loginMaxDelaySeconds };
  await (isStranger ? beginAsStranger(begun, excess) : beginAsUsual(begun));
  return {
    succeeded: async () => {
      await Promise.all([
        counters.remove(keys.own),
        counters.remove(keys.wait),
        counters.set(keys.known, 1, knownSeconds),
      ]);
    },
    failed: async () => {
      await counters.add(keys.account, failuresSeconds);
    },
  };
};
