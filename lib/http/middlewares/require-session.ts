import { liveUserQueue } from '../../accounts/live-session.ts';
import { laneOf } from '../../lane-of.ts';
import type { UserQueue } from '../../types.ts';
import type { Call, Middleware } from '../call.ts';

/** Of a user that was never used: as if its queue had just closed. */
const unusedQueue = (userId: string, { config }: Call['deps']): UserQueue => ({
  userId,
  lane: laneOf(userId, config.lanes),
  sessions: [],
  state: 'closed',
  accepted: 0,
  settled: 0,
  updatedAt: new Date(0),
});

const userQueueOf = async ({ caller, deps }: Call): Promise<UserQueue> => {
  const { userId, sessionId } = caller;
  if (sessionId !== undefined) return liveUserQueue({ userId, sessionId }, deps);
  const [found] = await deps.userQueues.get([userId]);
  return found ?? unusedQueue(userId, deps);
};

/**
 * Lets only calls with a live session pass, or with an API key. Enqueue does not need it, because taking a ticket checks the session.
 * Disconnect does not want it, because a client may repeat the call.
 *
 * @throws {SessionEndedError} 401
 */
export const requireSession = (): Middleware => ({
  before: async ({ event }) => {
    // The call of an operator with a key is about no single user.
    if (event.caller) event.userQueue = await userQueueOf(event);
  },
});
