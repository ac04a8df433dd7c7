import { liveUserQueue } from '../../accounts/live-session.ts';
import { userQueueOf } from '../../requests/user-queue.ts';
import type { UserQueue } from '../../types.ts';
import type { Call, Middleware } from '../call.ts';

const callersQueue = async ({ caller: { userId, sessionId }, deps }: Call): Promise<UserQueue> =>
  sessionId === undefined ? userQueueOf(userId, deps) : liveUserQueue({ userId, sessionId }, deps);

/**
 * Lets only calls with a live session pass, or with an API key. Enqueue does not need it, because taking a ticket checks the session.
 * Disconnect does not want it, because a client may repeat the call.
 *
 * @throws {SessionEndedError} 401
 */
export const requireSession = (): Middleware => ({
  before: async ({ event }) => {
    event.userQueue = await callersQueue(event);
  },
});
