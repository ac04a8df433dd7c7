import type { UserQueue } from './types.ts';

/** One login or WebSocket connection of a user. */
export type Session = {
  id: string;
  expiresAt: Date;
  /** `false`: a login that has opened a connection. It authenticates calls, and does not keep the user queue open any more. */
  keepsQueue?: false;
  /** Of a connection: the login that opened it, and whose end ends it. */
  login?: string;
};

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
