import type { Deps } from '../deps.ts';
import { isLiveSession } from '../sessions.ts';
import type { UserQueue } from '../types.ts';
import { SessionEndedError } from './errors.ts';
import type { Identity } from './tokens.ts';

/**
 * The user queue of an identity with a live session. A valid token is not enough: it outlives a disconnect.
 *
 * @throws {SessionEndedError} 401
 */
export const liveUserQueue = async (
  { userId, sessionId }: Identity,
  { userQueues, clock }: Pick<Deps, 'userQueues' | 'clock'>,
): Promise<UserQueue> => {
  const [queue] = await userQueues.get([userId]);
  if (!queue || !isLiveSession(queue, clock.now(), sessionId)) throw new SessionEndedError();
  return queue;
};
