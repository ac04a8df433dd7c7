import { randomUUID } from 'node:crypto';
import bcrypt from 'bcryptjs';
import type { Deps, TokenSecret } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { InvalidCredentialsError } from './errors.ts';
import type { Credentials } from './register.ts';
import { signToken } from './tokens.ts';

export type LoginDeps = Pick<Deps, 'accounts' | 'userQueues' | 'clock'> & {
  config: Pick<Deps['config'], 'bcryptCost' | 'lanes' | 'maxSessions' | 'tokenTtlSeconds'>;
  tokenSecret: TokenSecret;
};

/**
 * Opens a session and returns its token. `expiresIn` is in seconds. Above `maxSessions` it ends the oldest session: whoever has lost
 * the tokens of the others must not be locked out.
 *
 * @throws {InvalidCredentialsError} 401
 */
export const logIn = async (
  credentials: Credentials,
  deps: LoginDeps,
): Promise<{ token: string; expiresIn: number }> => {
  const { config } = deps;
  const userId = await checkPassword(credentials, deps);
  const identity = { userId, sessionId: randomUUID() };
  const expiresAt = new Date(deps.clock.now().getTime() + config.tokenTtlSeconds * 1_000);
  const session = { id: identity.sessionId, expiresAt };
  await deps.userQueues.addSession(userId, session, laneOf(userId, config.lanes), config.maxSessions);
  return { token: signToken(identity, expiresAt, deps.tokenSecret), expiresIn: config.tokenTtlSeconds };
};

/** Returns the user id. An unknown user costs one comparison too, so that the time does not reveal which names exist. */
const checkPassword = async (
  { username, password }: Credentials,
  { accounts, config }: Pick<LoginDeps, 'accounts' | 'config'>,
): Promise<string> => {
  const account = await accounts.findByUsername(username);
  const matches = await bcrypt.compare(password, account?.passwordHash ?? hashOfNobody(config.bcryptCost));
  if (!account || !matches) throw new InvalidCredentialsError();
  return account.userId;
};

/** A well-formed bcrypt hash of this cost. No known password has it. */
const hashOfNobody = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
