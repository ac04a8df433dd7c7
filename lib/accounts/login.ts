import { randomUUID } from 'node:crypto';
import type { Deps, TokenSecrets } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { siteOf } from '../network.ts';
import type { Account } from '../ports.ts';
import { InvalidCredentialsError } from './errors.ts';
import type { Credentials } from './register.ts';
import { beginLogin, limitAddress } from './throttle.ts';
import { signToken } from './tokens.ts';

export type LoginDeps = Pick<Deps, 'accounts' | 'counters' | 'log' | 'passwords' | 'userQueues' | 'clock'> & {
  config: Pick<
    Deps['config'],
    'lanes' | 'loginMaxDelaySeconds' | 'loginsPerMinute' | 'maxSessions' | 'tokenTtlSeconds'
  >;
  tokenSecrets: TokenSecrets;
};

/**
 * Opens a session and returns its token. `expiresIn` is in seconds. Above `maxSessions` it ends the oldest session: whoever has lost
 * the tokens of the others must not be locked out.
 *
 * @param address the caller's IP address.
 * @throws {InvalidCredentialsError} 401; {AddressLimitError} {LoginDelayedError} 429; {BusyError} 503
 */
export const logIn = async (
  credentials: Credentials,
  address: string,
  deps: LoginDeps,
): Promise<{ token: string; expiresIn: number }> => {
  const { config } = deps;
  await limitAddress('logins', address, { limit: config.loginsPerMinute, seconds: 60 }, deps);
  const { userId, username } = await deps.passwords.admit(siteOf(address), () =>
    authenticate(credentials, address, deps),
  );
  const identity = { userId, sessionId: randomUUID() };
  const expiresAt = new Date(deps.clock.now().getTime() + config.tokenTtlSeconds * 1_000);
  const session = { id: identity.sessionId, expiresAt };
  await deps.userQueues.addSession(userId, session, laneOf(userId, config.lanes), config.maxSessions, username);
  return { token: signToken(identity, expiresAt, deps.tokenSecrets[0]), expiresIn: config.tokenTtlSeconds };
};

/** An unknown user is treated like a wrong password in every respect. */
const authenticate = async (
  { username, password }: Credentials,
  address: string,
  deps: Pick<LoginDeps, 'accounts' | 'counters' | 'log' | 'passwords' | 'config'>,
): Promise<Account> => {
  const begun = await beginLogin({ username, address }, deps);
  const account = await deps.accounts.findByUsername(username);
  if (!(await deps.passwords.verify(password, account?.passwordHash)) || !account) {
    await begun.failed();
    throw new InvalidCredentialsError();
  }
  await begun.succeeded();
  if (deps.passwords.isOutdated(account.passwordHash)) await renewHash(account, password, deps);
  return account;
};

/** `BCRYPT_COST` was changed since the password was hashed. This is the only moment when the password is known. */
const renewHash = async (
  { userId, passwordHash }: Account,
  password: string,
  { accounts, log, passwords }: Pick<LoginDeps, 'accounts' | 'log' | 'passwords'>,
): Promise<void> => {
  try {
    await accounts.replacePasswordHash(userId, passwordHash, await passwords.hash(password));
  } catch (error) {
    // The password is right, and the next login tries again.
    log.warn({ err: error, userId }, 'a password kept its hash of another cost');
  }
};
