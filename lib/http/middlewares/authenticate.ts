import { z } from 'zod';
import { InvalidTokenError } from '../../accounts/errors.ts';
import { verifyToken } from '../../accounts/tokens.ts';
import type { Call, Middleware } from '../call.ts';

const jsonWithToken = z.object({ token: z.string().min(1) });

/** From `Authorization: Bearer`. Without that header from `token` in the body, where the older system had it. */
const tokenOf = ({ headers, json }: Call): string => {
  const { authorization } = headers;
  if (authorization === undefined) {
    const found = jsonWithToken.safeParse(json);
    if (found.success) return found.data.token;
    throw new InvalidTokenError('Send the token from the login as `Authorization: Bearer <token>`.', 'missing-token');
  }
  const bearer = /^Bearer +(\S+)$/i.exec(authorization.trim());
  if (!bearer?.[1]) throw new InvalidTokenError('The Authorization header must be `Bearer <token>`.', 'invalid-token');
  return bearer[1];
};

/**
 * Finds out who calls. It does not check whether the session is still live.
 *
 * @throws {InvalidTokenError} 401; {StoreUnavailableError} 503 when this process has not reached MongoDB yet: a token expires by its time
 */
export const authenticate = (): Middleware => ({
  before: async ({ event }) => {
    const token = tokenOf(event);
    await event.deps.timeKnown();
    event.identity = verifyToken(token, event.deps.tokenSecret, event.deps.clock.now());
  },
});
