/** The sessions of a user queue, and the user queue's creation. */
import type { UserQueueStore } from '../ports.ts';
import type { Session } from '../sessions.ts';
import type { Execute } from './connection.ts';
import { insertTogether } from './insert-together.ts';
import type { UserQueueDocument } from './models.ts';
import { insertIfAbsent, native } from './native.ts';
import { extended, withConnection, withLogin, without } from './session-updates.ts';
import { shareStatements } from './share-statements.ts';
import { liveSession, toUserQueue } from './user-queue-documents.ts';

/** Sessions of many users may expire at the same time, after a morning's logins. */
const expiredPerStatement = 100;

/** Connections whose sessions one statement extends. */
const extendedPerStatement = 500;

type NewUserQueue = { userId: string; user: string | undefined; lane: number; sessions: Session[]; updatedAt: Date };

const documentOf = ({ userId, user, ...rest }: NewUserQueue): UserQueueDocument => {
  const counters = { accepted: 0, settled: 0, closedThrough: 0 };
  return { _id: userId, ...(user === undefined ? {} : { user }), ...rest, state: 'closed', ...counters };
};

/** Returns whether the user queue was created; false when it exists. */
const createIfAbsent = (execute: Execute, queue: NewUserQueue): Promise<boolean> =>
  execute(({ userQueues }) => insertIfAbsent(userQueues, documentOf(queue)));

/** Creates user queues unless they exist. What is created at the same time shares a statement. */
export const createTogether = (execute: Execute): ((queue: NewUserQueue) => Promise<boolean>) =>
  shareStatements({
    alone: (queue) => createIfAbsent(execute, queue),
    together: (queues) => execute(({ userQueues }) => insertTogether(userQueues, queues.map(documentOf), true)),
  });

export const sessionStore = (
  execute: Execute,
): Pick<
  UserQueueStore,
  | 'create'
  | 'addSession'
  | 'addConnection'
  | 'extendSessions'
  | 'removeSession'
  | 'endOtherSessions'
  | 'dropExpiredSessions'
> => ({
  create: async (userId, lane, now, user) => {
    await createIfAbsent(execute, { userId, user, lane, sessions: [], updatedAt: now });
  },

  addSession: async (userId, session, lane, maxSessions, user) => {
    const sessions = withLogin(session, maxSessions);
    const change = [{ $set: { sessions, ...(user === undefined ? {} : { user: { $literal: user } }) } }];
    const push = () =>
      execute(async ({ userQueues }) => {
        const filter = { _id: userId, 'sessions.id': { $ne: session.id } };
        return native(userQueues).findOneAndUpdate(filter, change, { projection: { _id: 1 } });
      });
    if (await push()) return;
    if (await createIfAbsent(execute, { userId, user, lane, sessions: [session], updatedAt: new Date(0) })) return;
    // Another login has created it meanwhile, or the session is there.
    await push();
  },

  addConnection: (userId, session, maxConnections, now) =>
    execute(async ({ userQueues }) => {
      const after = await native(userQueues).findOneAndUpdate(
        { _id: userId, sessions: liveSession(now, session.login) },
        [{ $set: { sessions: withConnection(session, maxConnections, now) } }],
        { returnDocument: 'after', projection: { 'sessions.id': 1 } },
      );
      if (!after) return 'login-ended';
      return after.sessions.some(({ id }) => id === session.id) ? 'added' : 'too-many';
    }),

  extendSessions: async (sessions, expiresAt) => {
    const left = new Set<string>();
    for (let first = 0; first < sessions.length; first += extendedPerStatement) {
      const some = sessions.slice(first, first + extendedPerStatement);
      const filter = { _id: { $in: [...new Set(some.map(({ userId }) => userId))] } };
      const ids = some.map(({ sessionId }) => sessionId);
      const found = await execute(async ({ userQueues }) => {
        const update = [{ $set: { sessions: extended(ids, expiresAt) } }];
        await native(userQueues).updateTwice([{ updateMany: { filter, update } }]);
        return native(userQueues).find(filter, { projection: { 'sessions.id': 1 } });
      });
      for (const { sessions: own } of found) for (const { id } of own) left.add(id);
    }
    return left;
  },

  removeSession: (userId, sessionId) =>
    execute(async ({ userQueues }) => {
      // A pipeline: not every server that speaks MongoDB's protocol pulls by one of two fields.
      const change = [{ $set: { sessions: without(sessionId), quiet: null } }];
      const after = await native(userQueues).findOneAndUpdate({ _id: userId }, change, { returnDocument: 'after' });
      return after ? toUserQueue(after as UserQueueDocument) : undefined;
    }),

  endOtherSessions: (userId, sessionId, now) =>
    execute(async ({ userQueues }) => {
      const caller = { _id: userId, sessions: liveSession(now, sessionId) };
      const pull = { $pull: { sessions: { id: { $ne: sessionId }, login: { $ne: sessionId } } } };
      return (await userQueues.updateOne(caller, pull)).matchedCount === 1;
    }),

  dropExpiredSessions: async (now) => {
    const isExpired = { 'sessions.expiresAt': { $lte: now } };
    for (;;) {
      const ids = await execute(async ({ userQueues }) => {
        const page = await userQueues.find(isExpired, { _id: 1 }).limit(expiredPerStatement).lean();
        const found = page.map(({ _id }) => _id);
        if (found.length === 0) return found;
        const expired = { $pull: { sessions: { expiresAt: { $lte: now } } }, $unset: { quiet: 1 } } as const;
        await userQueues.updateMany({ _id: { $in: found }, ...isExpired }, expired);
        return found;
      });
      if (ids.length < expiredPerStatement) return;
    }
  },
});
