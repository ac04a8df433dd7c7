import { randomUUID } from 'node:crypto';
import type { Deps, TokenSecret } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { InvalidCredentialsError, TooManySessionsError } from './errors.ts';
import type { Credentials } from './register.ts';
import { signToken } from './tokens.ts';

export type LoginDeps = Pick<Deps, 'accounts' | 'passwords' | 'userQueues' | 'clock'> & {
  config: Pick<Deps['config'], 'lanes' | 'maxSessions' | 'tokenTtlSeconds'>;
  tokenSecret: TokenSecret;
};

/**
 * Opens a session and returns its token. `expiresIn` is in seconds.
 *
 * @throws {InvalidCredentialsError} 401; {TooManySessionsError} 429; {BusyError} 503
 */
export const logIn = async (
  credentials: Credentials,
  deps: LoginDeps,
): Promise<{ token: string; expiresIn: number }> => {
  const { config } = deps;
  const userId = await deps.passwords.admit(() => checkPassword(credentials, deps));
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

/** Returns the user id. */
const checkPassword = async (
  { username, password }: Credentials,
  { accounts, passwords }: Pick<LoginDeps, 'accounts' | 'passwords'>,
): Promise<string> => {
  const account = await accounts.findByUsername(username);
  if (!(await passwords.verify(password, account?.passwordHash)) || !account) throw new InvalidCredentialsError();
  return account.userId;
};
