import { z } from 'zod';
import { InvalidTokenError } from '../../accounts/errors.ts';
import { verifyToken } from '../../accounts/tokens.ts';
import type { Call, Middleware } from '../call.ts';

const bodyWithToken = z.object({ token: z.string().min(1) });

/** From `Authorization: Bearer`; without that header, as the older system did, from `token` in the body. */
const tokenOf = ({ headers, json }: Call): string => {
  const { authorization } = headers;
  if (authorization === undefined) {
    const body = bodyWithToken.safeParse(json);
    if (body.success) return body.data.token;
    throw new InvalidTokenError('Send the token of the login as `Authorization: Bearer <token>`.', 'missing-token');
  }
  const bearer = /^Bearer +(\S+)$/i.exec(authorization.trim());
  if (!bearer?.[1]) throw new InvalidTokenError('The Authorization header must be `Bearer <token>`.', 'invalid-token');
  return bearer[1];
};

/**
 * Says who calls. Whether the session still lives is not asked here.
 *
 * @throws {InvalidTokenError} 401
 */
export const authenticate = (): Middleware => ({
  before: ({ event }) => {
    event.identity = verifyToken(tokenOf(event), event.deps.tokenSecret, event.deps.clock.now());
  },
});
