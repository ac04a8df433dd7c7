/**
 * Tokens with which a client may connect to the events of one user, for a minute, and do nothing else: an `EventSource` cannot send a header,
 * and what is in a URL is seen by proxies. The stream goes on until its session has ended, or its key is revoked.
 */
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { Deps, TokenSecret, TokenSecrets } from '../deps.ts';
import type { ApiKey } from '../ports.ts';
import type { UserQueue } from '../types.ts';
import { InvalidKeyError, InvalidTokenError } from './errors.ts';
import { liveUserQueue } from './live-session.ts';
import { eventsScope, seconds, withAnySecret } from './tokens.ts';

export const streamTokenSeconds = 60;

/** Whose events, and who asked for the token: a session of the user, or a back end with its key. */
export type StreamHolder =
  | { userId: string; sessionId: string; keyId?: undefined }
  | { userId: string; keyId: string; sessionId?: undefined };

type TokenDeps = Pick<Deps, 'clock'> & { tokenSecrets: TokenSecrets };

const payload = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  scope: z.literal(eventsScope),
  exp: z.number(),
});

export const signStreamToken = (holder: StreamHolder, { clock, tokenSecrets: [secret] }: TokenDeps): string => {
  const { userId: sub, sessionId: sid, keyId: key } = holder;
  const exp = seconds(clock.now()) + streamTokenSeconds;
  const claims = { sub, ...(sid === undefined ? { key } : { sid }), scope: eventsScope, exp };
  return jwt.sign(claims, secret, { algorithm: 'HS256', noTimestamp: true });
};

const payloadOf = (token: string, secret: TokenSecret, now: Date): z.infer<typeof payload> => {
  try {
    return payload.parse(jwt.verify(token, secret, { algorithms: ['HS256'], clockTimestamp: seconds(now) }));
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError)
      throw new InvalidTokenError('The stream token has expired. Ask for another one.', 'expired-token', error);
    throw new InvalidTokenError('`token` is no token of `POST /stream-token`.', 'invalid-token', error);
  }
};

const holderOf = (token: string, secret: TokenSecret, now: Date): StreamHolder => {
  const { sub: userId, sid: sessionId, key: keyId } = payloadOf(token, secret, now);
  if (sessionId !== undefined) return { userId, sessionId };
  if (keyId !== undefined) return { userId, keyId };
  throw new InvalidTokenError('`token` is no token of `POST /stream-token`.', 'invalid-token');
};

/** @throws {InvalidTokenError} 401 */
export const verifyStreamToken = (token: string, secrets: TokenSecrets, now: Date): StreamHolder =>
  withAnySecret(secrets, (secret) => holderOf(token, secret, now));

export type Admitted = { queue: UserQueue | undefined; apiKey: ApiKey | undefined };

/**
 * Checks that the holder may still watch: its session is live, or its key exists. A user that was never used has no queue.
 *
 * @throws {SessionEndedError} {InvalidKeyError} 401
 */
export const admitStream = async (
  holder: StreamHolder,
  deps: Pick<Deps, 'userQueues' | 'apiKeys' | 'clock'>,
): Promise<Admitted> => {
  if (holder.keyId === undefined) return { queue: await liveUserQueue(holder, deps), apiKey: undefined };
  const apiKey = await deps.apiKeys.find(holder.keyId);
  if (!apiKey) throw new InvalidKeyError();
  if (apiKey.expiresAt && apiKey.expiresAt <= deps.clock.now()) throw new InvalidKeyError(apiKey.expiresAt);
  const [queue] = await deps.userQueues.get([holder.userId]);
  return { queue, apiKey };
};
