import { liveUserQueue } from '../../accounts/live-session.ts';
import type { Middleware } from '../call.ts';

/**
 * Lets only calls with a live session pass. Enqueue does not need it, because taking a ticket checks the session. Disconnect
 * does not want it, because a client may repeat the call.
 *
 * @throws {SessionEndedError} 401
 */
export const requireSession = (): Middleware => ({
  before: async ({ event }) => {
    event.userQueue = await liveUserQueue(event.identity, event.deps);
  },
});
