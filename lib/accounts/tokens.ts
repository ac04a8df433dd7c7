/** JSON Web Tokens: HS256 only, with `sub` (user id), `sid` (session id) and `exp`. */
import type { KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { TokenSecret, TokenSecrets } from '../deps.ts';
import { onceFor } from '../once-for.ts';
import { InvalidTokenError } from './errors.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** The user and the session that a token stands for. */
export type Identity = { userId: string; sessionId: string };

/** The scope of a token that may only watch: `stream-tokens.ts`. */
export const eventsScope = 'events';

/** A token that may do less than a session has a scope, and is refused here. */
const payload = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  exp: z.number(),
  scope: z.undefined().optional(),
});

/** As a token has its times. */
export const seconds = (date: Date): number => Math.floor(date.getTime() / 1_000);

export const signToken = ({ userId, sessionId }: Identity, expiresAt: Date, secret: TokenSecret): string =>
  jwt.sign({ sub: userId, sid: sessionId, exp: seconds(expiresAt) }, secret, { algorithm: 'HS256', noTimestamp: true });

/** A token that one secret has signed is unknown to every other. */
const verifiedBy = onceFor((_secret: KeyObject) => new VerifiedTokens());

const payloadOf = (token: string, secret: TokenSecret, now: Date): z.infer<typeof payload> => {
  try {
    return payload.parse(jwt.verify(token, secret, { algorithms: ['HS256'], clockTimestamp: seconds(now) }));
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) {
      throw new InvalidTokenError('The token has expired. Log in again.', 'expired-token', error);
    }
    throw new InvalidTokenError('The token is not valid. Log in again.', 'invalid-token', error);
  }
};

/** Remembers what it has verified by a `KeyObject`: a signature costs as much as the rest of the way to the function. */
const verifyBy = (token: string, secret: TokenSecret, now: Date): Identity => {
  const verified = typeof secret === 'string' ? undefined : verifiedBy(secret);
  const known = verified?.find(token, seconds(now));
  if (known) return { userId: known.userId, sessionId: known.sessionId };
  const { sub: userId, sid: sessionId, exp } = payloadOf(token, secret, now);
  verified?.add(token, { userId, sessionId, exp });
  return { userId, sessionId };
};

/** When a token that `verifyToken` has accepted expires. */
export const expiryOf = (token: string): Date => new Date(payload.parse(jwt.decode(token)).exp * 1_000);

/** What `verify` finds with the first secret that has signed the token. One that has expired is refused at once: no other has signed it. */
export const withAnySecret = <Found>(
  [secret, ...others]: TokenSecrets,
  verify: (secret: TokenSecret) => Found,
): Found => {
  try {
    return verify(secret);
  } catch (error) {
    const [next, ...rest] = others;
    if (next === undefined || (error instanceof InvalidTokenError && error.code === 'expired-token')) throw error;
    return withAnySecret([next, ...rest], verify);
  }
};

/** @throws {InvalidTokenError} 401 when none of the secrets has signed the token, its payload is invalid, or it has expired. */
export const verifyToken = (token: string, secrets: TokenSecrets, now: Date): Identity =>
  withAnySecret(secrets, (secret) => verifyBy(token, secret, now));
