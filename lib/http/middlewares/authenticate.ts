import { z } from 'zod';
import { isApiKey, verifyApiKey } from '../../accounts/api-keys.ts';
import { InvalidTokenError } from '../../accounts/errors.ts';
import { verifyToken } from '../../accounts/tokens.ts';
import type { Call, Middleware } from '../call.ts';
import { maxTextBytes } from '../input.ts';
import { bodyBytes } from './parse-json.ts';

const jsonWithToken = z.object({ token: z.string().min(1) });

const bearerOf = (authorization: string): string => {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization.trim());
  if (!bearer?.[1])
    throw new InvalidTokenError(
      'The Authorization header must be `Bearer <token>` or `Bearer <API key>`.',
      'invalid-token',
    );
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
  call.identity = verifyToken(token, call.deps.tokenSecrets, call.deps.clock.now());
};

/** Whoever calls a function without a gateway may have made these up. */
const forgetClaims = (call: Partial<Call>): void => {
  for (const claim of ['apiKey', 'identity', 'caller', 'userQueue'] as const) delete call[claim];
};

/**
 * Finds out who calls, from the header `Authorization: Bearer` with a token or an API key. It does not check whether the session is still
 * live. Call it before the body is parsed. Without the header, only a small body may be parsed.
 *
 * @throws {InvalidTokenError} {InvalidKeyError} 401; {KeyRateError} 429; {StoreUnavailableError} 503 when MongoDB does not answer: a
 *   token expires by its time, and a key is read there
 */
export const authenticateByHeader = (): Middleware => ({
  before: async ({ event }) => {
    forgetClaims(event);
    const { authorization } = event.headers;
    if (authorization === undefined) return refuseLargeBody(event);
    const credential = bearerOf(authorization);
    if (isApiKey(credential)) event.apiKey = await verifyApiKey(credential, event.deps);
    else await identify(event, credential);
  },
});

/** The same for a call without that header, from `token` in its parsed body. @throws as `authenticateByHeader` */
export const authenticateByBody = (): Middleware => ({
  before: async ({ event }) => {
    if (event.headers.authorization === undefined) await identify(event, tokenInBody(event));
  },
});
