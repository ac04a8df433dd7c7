import type { Deps } from '../deps.ts';
import { endsWith } from '../sessions.ts';
import type { UserQueue } from '../types.ts';
import { SessionEndedError } from './errors.ts';
import type { Identity } from './tokens.ts';

/**
 * Ends all sessions of the user but the caller's and its connections, and returns how many were live. The caller's session is left, so
 * pending requests run on, and no owner has to know.
 *
 * @param before the user queue, read a moment ago.
 * @throws {SessionEndedError} 401: of two sessions that end each other, one stays.
 */
export const endOtherSessions = async (
  { userId, sessionId }: Identity,
  before: UserQueue,
  { userQueues, clock }: Pick<Deps, 'userQueues' | 'clock'>,
): Promise<number> => {
  const now = clock.now();
  if (!(await userQueues.endOtherSessions(userId, sessionId, now))) throw new SessionEndedError();
  return before.sessions.filter((session) => session.expiresAt > now && !endsWith(session, sessionId)).length;
};
