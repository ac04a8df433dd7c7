import type { Session, UserQueue } from './types.ts';

type WithSessions = Pick<UserQueue, 'sessions'>;

/** Whether this session of the user has not ended or expired: its holder may call. */
export const isLiveSession = ({ sessions }: WithSessions, now: Date, sessionId: string): boolean =>
  sessions.some(({ id, expiresAt }) => expiresAt > now && id === sessionId);

/** Whether the user has a session that keeps the user queue open. */
export const isKeptOpen = ({ sessions }: WithSessions, now: Date): boolean =>
  sessions.some(({ expiresAt, keepsQueue = true }) => expiresAt > now && keepsQueue);

/** Whether the session ends when this one does: it is the same, or a connection of it. */
export const endsWith = ({ id, login }: Pick<Session, 'id' | 'login'>, sessionId: string): boolean =>
  id === sessionId || login === sessionId;
