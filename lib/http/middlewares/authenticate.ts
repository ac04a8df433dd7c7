import { z } from 'zod';
import { InvalidTokenError } from '../../accounts/errors.ts';
import { verifyToken } from '../../accounts/tokens.ts';
import type { Call, Middleware } from '../call.ts';
import { maxTextBytes } from '../input.ts';
import { bodyBytes } from './parse-json.ts';

const jsonWithToken = z.object({ token: z.string().min(1) });

const bearerOf = (authorization: string): string => {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization.trim());
  if (!bearer?.[1]) throw new InvalidTokenError('The Authorization header must be `Bearer <token>`.', 'invalid-token');
  return bearer[1];
};

/** Where the older system had the token. */
const tokenInBody = ({ json }: Call): string => {
  const found = jsonWithToken.safeParse(json);
  if (found.success) return found.data.token;
  throw new InvalidTokenError('Send the token from the login as `Authorization: Bearer <token>`.', 'missing-token');
};

/** Parsing a large body takes as long as many calls, which nobody may have for nothing. */
const refuseLargeBody = (call: Call): void => {
  if (bodyBytes(call) <= maxTextBytes) return;
  const advice = `A call with a body of more than ${maxTextBytes} bytes needs it there.`;
  throw new InvalidTokenError(
    `Send the token from the login as \`Authorization: Bearer <token>\`. ${advice}`,
    'missing-token',
  );
};

const identify = async (call: Call, token: string): Promise<void> => {
  await call.deps.timeKnown();
  call.identity = verifyToken(token, call.deps.tokenSecret, call.deps.clock.now());
};

/**
 * Finds out who calls, from the header `Authorization: Bearer`. It does not check whether the session is still live. Call it before the
 * body is parsed. Without the header, only a small body may be parsed.
 *
 * @throws {InvalidTokenError} 401; {StoreUnavailableError} 503 when this process has not reached MongoDB yet: a token expires by its time
 */
export const authenticateByHeader = (): Middleware => ({
  before: async ({ event }) => {
    const { authorization } = event.headers;
    if (authorization !== undefined) await identify(event, bearerOf(authorization));
    else refuseLargeBody(event);
  },
});

/** The same for a call without that header, from `token` in its parsed body. @throws as `authenticateByHeader` */
export const authenticateByBody = (): Middleware => ({
  before: async ({ event }) => {
    if (event.headers.authorization === undefined) await identify(event, tokenInBody(event));
  },
});
