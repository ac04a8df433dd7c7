import { randomUUID } from 'node:crypto';
import type { Deps, TokenSecret } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { InvalidCredentialsError, TooManySessionsError } from './errors.ts';
import type { Credentials } from './register.ts';
import { beginAttempt, limitAddress } from './throttle.ts';
import { signToken } from './tokens.ts';

export type LoginDeps = Pick<Deps, 'accounts' | 'counters' | 'passwords' | 'userQueues' | 'clock'> & {
  config: Pick<
    Deps['config'],
    'lanes' | 'loginMaxDelaySeconds' | 'loginsPerMinute' | 'maxSessions' | 'tokenTtlSeconds'
  >;
  tokenSecret: TokenSecret;
};

/**
 * Opens a session and returns its token. `expiresIn` is in seconds.
 *
 * @param address the caller's IP address.
 * @throws {InvalidCredentialsError} 401; {AddressLimitError} {LoginDelayedError} {TooManySessionsError} 429; {BusyError} 503
 */
export const logIn = async (
  credentials: Credentials,
  address: string,
  deps: LoginDeps,
): Promise<{ token: string; expiresIn: number }> => {
  const { config } = deps;
  await limitAddress('logins', address, { limit: config.loginsPerMinute, seconds: 60 }, deps);
  const userId = await deps.passwords.admit(() => authenticate(credentials, address, deps));
  const identity = { userId, sessionId: randomUUID() };
  const expiresAt = new Date(deps.clock.now().getTime() + config.tokenTtlSeconds * 1_000);
  const session = { id: identity.sessionId, expiresAt };
  const add = () => deps.userQueues.addSession(userId, session, laneOf(userId, config.lanes), config.maxSessions);
  if ((await add()) === 'too-many') {
    // Expired sessions stay in the user queue until the next sweep. They must not keep the user out.
    await deps.userQueues.dropExpiredSessions(deps.clock.now());
    if ((await add()) === 'too-many') throw new TooManySessionsError(config.maxSessions);
  }
  return { token: signToken(identity, expiresAt, deps.tokenSecret), expiresIn: config.tokenTtlSeconds };
};

/** Returns the user id. An unknown user is treated like a wrong password in every respect. */
const authenticate = async (
  { username, password }: Credentials,
  address: string,
  deps: Pick<LoginDeps, 'accounts' | 'counters' | 'passwords' | 'config'>,
): Promise<string> => {
  const attempt = await beginAttempt({ username, address }, deps);
  const account = await deps.accounts.findByUsername(username);
  if (!(await deps.passwords.verify(password, account?.passwordHash)) || !account) {
    await attempt.failed();
    throw new InvalidCredentialsError();
  }
  await attempt.succeeded();
  return account.userId;
};
