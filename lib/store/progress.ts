/** What owners record about the progress of their users, and the search for users without progress. */
import type { QueryFilter } from 'mongoose';
import type { StalledUserCursor, TimeSpan, UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { native, type UserQueueDocument } from './models.ts';
import { notClosedStates } from './user-queue-documents.ts';

/** The users behind the cursor, among those with `updatedAt` at or after the cursor's. */
const behind = (after: StalledUserCursor | undefined) =>
  after ? { $or: [{ updatedAt: { $gt: after.updatedAt } }, { _id: { $gt: after.userId } }] } : {};

type Search = { recently: TimeSpan; which: 'all' | 'unvouched'; after: StalledUserCursor | undefined };

const filterOf = ({ recently: { from, to }, which, after }: Search): QueryFilter<UserQueueDocument> => {
  const pending = { $expr: { $lt: ['$settled', '$accepted'] } };
  return {
    state: { $in: notClosedStates },
    $and: [{ $or: [pending, { sessions: { $size: 0 } }, { state: 'closing' }] }, behind(after)],
    ...(which === 'unvouched' ? { vouchedAt: { $not: { $gte: from, $lte: to } } } : {}),
  };
};

export const progressStore = (
  execute: Execute,
): Pick<UserQueueStore, 'flushSettled' | 'noteQueueRefused' | 'noteLent' | 'stuck' | 'countPending'> => ({
  flushSettled: async (progress, now) => {
    if (progress.length === 0) return;
    const updates = progress.map(({ userId, settled, settledBytes, advanced }) => {
      const times = advanced ? { vouchedAt: now, updatedAt: now } : { vouchedAt: now };
      return {
        updateOne: {
          filter: { _id: userId },
          update: { $max: { settled, ...(settledBytes ? { settledBytes } : {}) }, $set: times },
        },
      };
    });
    await execute(({ userQueues }) => native(userQueues).bulkWrite(updates, { ordered: false }));
  },

  noteQueueRefused: async (userId, refused) => {
    const change = refused ? { $set: { queueRefused: true } } : ({ $unset: { queueRefused: 1 } } as const);
    await execute(({ userQueues }) => userQueues.updateOne({ _id: userId }, change));
  },

  noteLent: async (loans) => {
    if (loans.length === 0) return;
    // `$not $gt` also matches a user queue that has lent nothing.
    const updates = loans.map(({ userId, ...lent }) => ({
      updateOne: { filter: { _id: userId, 'lent.token': { $not: { $gt: lent.token } } }, update: { $set: { lent } } },
    }));
    await execute(({ userQueues }) => native(userQueues).bulkWrite(updates, { ordered: false }));
  },

  // A closed user has nothing pending. The index on the state finds the others.
  countPending: () =>
    execute(
      async ({ userQueues }) => {
        const [sum] = await userQueues.aggregate<{ pending: number }>([
          { $match: { state: { $in: notClosedStates } } },
          { $group: { _id: null, pending: { $sum: { $subtract: ['$accepted', '$settled'] } } } },
        ]);
        return sum?.pending ?? 0;
      },
      undefined,
      { mayBeSlow: true },
    ),

  // Sorted by `updatedAt`, so that a limit never hides the users that have waited longest. The second query finds somebody only
  // after MongoDB's clock was set back. It is a query of its own because an `$or` would keep the first one from its index.
  stuck: async (recently, limit, which, after) => {
    const filter = filterOf({ recently, which, after });
    const find = (updatedAt: { $lt: Date } | { $gt: Date }, count: number) =>
      execute(async ({ userQueues }) => {
        const found = await userQueues
          .find(
            { ...filter, updatedAt: { $gte: after?.updatedAt ?? new Date(0), ...updatedAt } },
            { lane: 1, accepted: 1, settled: 1, updatedAt: 1 },
          )
          .sort({ updatedAt: 1, _id: 1 })
          .limit(count)
          .lean();
        return found.map(({ _id, ...user }) => ({ userId: _id, ...user }));
      });
    const before = await find({ $lt: recently.from }, limit);
    if (before.length >= limit) return before;
    return [...before, ...(await find({ $gt: recently.to }, limit - before.length))];
  },
});
