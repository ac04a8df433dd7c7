import type { UserQueue } from './types.ts';

/** Whether the user has a session that has not expired; with `sessionId`, whether that one has not. */
export const hasLiveSession = ({ sessions }: Pick<UserQueue, 'sessions'>, now: Date, sessionId?: string): boolean =>
  sessions.some(({ id, expiresAt }) => expiresAt > now && (sessionId === undefined || id === sessionId));
