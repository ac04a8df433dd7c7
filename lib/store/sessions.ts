/** The sessions of a user queue, and the user queue's creation. */
import type { UserQueueStore } from '../ports.ts';
import type { Session } from '../types.ts';
import type { Execute } from './connection.ts';
import { insertIfAbsent } from './models.ts';
import { toUserQueue } from './user-queue-documents.ts';

/** Returns whether the user queue was created; false when it exists. */
const createIfAbsent = (
  execute: Execute,
  userQueue: { userId: string; lane: number; sessions: Session[]; updatedAt: Date },
): Promise<boolean> =>
  execute(({ userQueues }) => {
    const { userId, lane, sessions, updatedAt } = userQueue;
    const counters = { accepted: 0, settled: 0, closedThrough: 0 };
    return insertIfAbsent(userQueues, { _id: userId, lane, sessions, state: 'closed', ...counters, updatedAt });
  });

export const sessionStore = (
  execute: Execute,
  get: UserQueueStore['get'],
): Pick<UserQueueStore, 'create' | 'addSession' | 'removeSession' | 'dropExpiredSessions'> => ({
  create: async (userId, lane, now) => {
    await createIfAbsent(execute, { userId, lane, sessions: [], updatedAt: now });
  },

  addSession: async (userId, session, lane, maxSessions) => {
    const hasRoom = { [`sessions.${maxSessions - 1}`]: { $exists: false }, 'sessions.id': { $ne: session.id } };
    const push = () =>
      execute(({ userQueues }) => userQueues.updateOne({ _id: userId, ...hasRoom }, { $push: { sessions: session } }));
    for (;;) {
      if ((await push()).matchedCount === 1) return 'added';
      if (await createIfAbsent(execute, { userId, lane, sessions: [session], updatedAt: new Date(0) })) return 'added';
      const sessions = (await get([userId]))[0]?.sessions ?? [];
      if (sessions.some(({ id }) => id === session.id)) return 'added';
      if (sessions.length >= maxSessions) return 'too-many';
    }
  },

  removeSession: (userId, sessionId) =>
    execute(async ({ userQueues }) => {
      const pull = { $pull: { sessions: { id: sessionId } } };
      const after = await userQueues.findOneAndUpdate({ _id: userId }, pull, { returnDocument: 'after' }).lean();
      return after ? toUserQueue(after) : undefined;
    }),

  dropExpiredSessions: async (now) => {
    const expired = { expiresAt: { $lte: now } };
    await execute(({ userQueues }) =>
      userQueues.updateMany({ 'sessions.expiresAt': { $lte: now } }, { $pull: { sessions: expired } }),
    );
  },
});
