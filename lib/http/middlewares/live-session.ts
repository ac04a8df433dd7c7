import { liveUserQueue } from '../../accounts/live-session.ts';
import type { Middleware } from '../call.ts';

/**
 * Lets only a live session pass. For calls that do not find it out themselves, as enqueue does by its ticket.
 *
 * @throws {SessionEndedError} 401
 */
export const liveSession = (): Middleware => ({
  before: async ({ event }) => {
    event.userQueue = await liveUserQueue(event.identity, event.deps);
  },
});
