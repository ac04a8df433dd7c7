import type { Deps } from '../deps.ts';
import { SessionEndedError } from '../requests/errors.ts';
import type { UserQueue } from '../types.ts';
import type { Identity } from './tokens.ts';

/**
 * The user queue of an identity whose session lives: a token outlives a disconnect, the session does not.
 *
 * @throws {SessionEndedError} 401
 */
export const liveUserQueue = async (
  { userId, sessionId }: Identity,
  { userQueues, clock }: Pick<Deps, 'userQueues' | 'clock'>,
): Promise<UserQueue> => {
  const [queue] = await userQueues.get([userId]);
  const now = clock.now();
  const lives = queue?.sessions.some((session) => session.id === sessionId && session.expiresAt > now);
  if (!queue || !lives) throw new SessionEndedError();
  return queue;
};
