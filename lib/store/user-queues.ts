import type { StalledUserCursor, TicketLimit, UserQueueStore } from '../ports.ts';
import type { Session, Ticket, UserQueue, UserQueueState } from '../types.ts';
import type { Execute } from './connection.ts';
import { insertIfAbsent, native, type UserQueueDocument } from './models.ts';

const notClosedStates: UserQueueState[] = ['open', 'closing'];

/** User queues a page of a take-over's load. */
const pageSize = 250;

const toUserQueue = ({ _id, closedThrough: _, ...rest }: UserQueueDocument): UserQueue => ({ userId: _id, ...rest });

const live = (now: Date, id?: string) => ({
  $elemMatch: { ...(id === undefined ? {} : { id }), expiresAt: { $gt: now } },
});

const within = (limit: TicketLimit) =>
  'seq' in limit
    ? { accepted: { $lt: limit.seq } }
    : { $expr: { $lt: [{ $subtract: ['$accepted', '$settled'] }, limit.pending] } };

const following = (after: StalledUserCursor | undefined) =>
  after ? { $or: [{ updatedAt: { $gt: after.updatedAt } }, { _id: { $gt: after.userId } }] } : {};

export const userQueueStore = (execute: Execute): UserQueueStore => {
  /** Makes the user queue where there is none. Returns whether it did. */
  const createIfAbsent = (userId: string, lane: number, sessions: Session[], updatedAt: Date): Promise<boolean> =>
    execute(({ userQueues }) => {
      const counters = { accepted: 0, settled: 0, closedThrough: 0 };
      const fresh = { _id: userId, lane, sessions, state: 'closed' as const, ...counters, updatedAt };
      return insertIfAbsent(userQueues, fresh);
    });

  const get: UserQueueStore['get'] = (userIds) =>
    execute(async ({ userQueues }) => (await userQueues.find({ _id: { $in: userIds } }).lean()).map(toUserQueue));

  return {
    get,

    create: async (userId, lane, now) => {
      await createIfAbsent(userId, lane, [], now);
    },

    addSession: async (userId, session, lane, maxSessions) => {
      const hasRoom = { [`sessions.${maxSessions - 1}`]: { $exists: false }, 'sessions.id': { $ne: session.id } };
      const push = () =>
        execute(({ userQueues }) =>
          userQueues.updateOne({ _id: userId, ...hasRoom }, { $push: { sessions: session } }),
        );
      for (;;) {
        if ((await push()).matchedCount === 1) return 'added';
        if (await createIfAbsent(userId, lane, [session], new Date(0))) return 'added';
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

    // `updatedAt` is the owner's: a ticket that moved it would hide an owner that stands still. Whether it was open is told
    // by the document after the update, since the document before it is no single step with it on the stand-ins.
    takeTicket: (userId, sessionId, now, limit) =>
      execute(async ({ userQueues }): Promise<Ticket | undefined> => {
        const after = await userQueues
          .findOneAndUpdate(
            {
              _id: userId,
              ...(sessionId === undefined ? {} : { sessions: live(now, sessionId) }),
              ...(limit ? within(limit) : {}),
            },
            { $inc: { accepted: 1 }, $set: { state: 'open' } },
            { returnDocument: 'after', projection: { lane: 1, accepted: 1, settled: 1, closedThrough: 1 } },
          )
          .lean();
        if (!after) return undefined;
        const { lane, accepted: seq, settled, closedThrough } = after;
        return { seq, lane, wasOpen: seq - 1 !== closedThrough, settled };
      }),

    notClosed: async function* (lane) {
      let after = '';
      for (;;) {
        const page = await execute(({ userQueues }) =>
          userQueues
            .find({ lane, state: { $in: notClosedStates }, _id: { $gt: after } })
            .sort({ _id: 1 })
            .limit(pageSize)
            .lean(),
        );
        if (page.length > 0) yield page.map(toUserQueue);
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        after = last._id;
      }
    },

    beginClose: (userId, accepted, onlyWithoutSession, now) =>
      execute(async ({ userQueues }) => {
        const { matchedCount } = await userQueues.updateOne(
          { _id: userId, state: 'open', accepted, ...(onlyWithoutSession ? { sessions: { $not: live(now) } } : {}) },
          { $set: { state: 'closing', settled: accepted, closedThrough: accepted, updatedAt: now } },
        );
        return matchedCount === 1;
      }),

    endClose: (userId, accepted, now) =>
      execute(async ({ userQueues }) => {
        const { matchedCount } = await userQueues.updateOne(
          { _id: userId, state: 'closing', accepted },
          { $set: { state: 'closed', updatedAt: now } },
        );
        return matchedCount === 1;
      }),

    flushSettled: async (progress, now) => {
      if (progress.length === 0) return;
      const updates = progress.map(({ userId, settled, advanced }) => {
        const times = advanced ? { vouchedAt: now, updatedAt: now } : { vouchedAt: now };
        return { updateOne: { filter: { _id: userId }, update: { $max: { settled }, $set: times } } };
      });
      await execute(({ userQueues }) => native(userQueues).bulkWrite(updates, { ordered: false }));
    },

    dropExpiredSessions: async (now) => {
      const expired = { expiresAt: { $lte: now } };
      await execute(({ userQueues }) =>
        userQueues.updateMany({ 'sessions.expiresAt': { $lte: now } }, { $pull: { sessions: expired } }),
      );
    },

    // The longest without progress come first, so that a limit never hides them.
    stuck: (before, limit, which, after) =>
      execute(async ({ userQueues }) => {
        const pending = { $expr: { $lt: ['$settled', '$accepted'] } };
        const found = await userQueues
          .find(
            {
              state: { $in: notClosedStates },
              updatedAt: { $lt: before, $gte: after?.updatedAt ?? new Date(0) },
              $and: [{ $or: [pending, { sessions: { $size: 0 } }, { state: 'closing' }] }, following(after)],
              ...(which === 'unvouched' ? { vouchedAt: { $not: { $gte: before } } } : {}),
            },
            { lane: 1, accepted: 1, settled: 1, updatedAt: 1 },
          )
          .sort({ updatedAt: 1, _id: 1 })
          .limit(limit)
          .lean();
        return found.map(({ _id, ...suspect }) => ({ userId: _id, ...suspect }));
      }),
  };
};
