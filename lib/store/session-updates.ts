/** Updates of the sessions of a user queue that depend on those it has. Pipelines, so that each is one atomic update. */
import type { Session } from '../sessions.ts';

const where = (input: object | string, cond: object) => ({ $filter: { input, as: 'one', cond } });

const login = { $ifNull: ['$$one.login', ''] };
const isLogin = { $eq: [login, ''] };
const isConnection = { $ne: [login, ''] };

/** Appends a login, in the order of the logins: above `maxSessions` the oldest ends, and its connections with it. */
export const withLogin = (session: Session, maxSessions: number) => {
  const logins = { $slice: [{ $concatArrays: [where('$sessions', isLogin), [{ $literal: session }]] }, -maxSessions] };
  const ids = { $map: { input: '$$logins', as: 'kept', in: '$$kept.id' } };
  const connections = where('$sessions', { $in: [login, ids] });
  return { $let: { vars: { logins }, in: { $concatArrays: [connections, '$$logins'] } } };
};

/**
 * Appends a connection and leaves the user queue to it, unless the user has `maxConnections` of them already: then nothing changes.
 * Connections that have expired make room.
 */
export const withConnection = (session: Session & { login: string }, maxConnections: number, now: Date) => {
  const others = where('$sessions', {
    $and: [{ $ne: ['$$one.id', session.id] }, { $or: [isLogin, { $gt: ['$$one.expiresAt', now] }] }],
  });
  const marked = { $mergeObjects: ['$$one', { keepsQueue: false }] };
  const leaving = {
    $map: { input: '$$others', as: 'one', in: { $cond: [{ $eq: ['$$one.id', session.login] }, marked, '$$one'] } },
  };
  const isFull = { $gte: [{ $size: where('$$others', isConnection) }, maxConnections] };
  const appended = { $concatArrays: [leaving, [{ $literal: session }]] };
  return { $let: { vars: { others }, in: { $cond: [isFull, '$sessions', appended] } } };
};

/** Extends those of these sessions that are still there. */
export const extended = (ids: string[], expiresAt: Date) => {
  const longer = { $mergeObjects: ['$$one', { expiresAt }] };
  const isOne = { $in: ['$$one.id', { $literal: ids }] };
  return { $map: { input: '$sessions', as: 'one', in: { $cond: [isOne, longer, '$$one'] } } };
};

/** Without this session, and without the connections of this login. */
export const without = (sessionId: string) => {
  const id = { $literal: sessionId };
  return where('$sessions', { $and: [{ $ne: ['$$one.id', id] }, { $ne: [login, id] }] });
};
