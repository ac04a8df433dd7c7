/** What owners record about the progress of their users, and the search for users without progress. */
import type { StalledUserCursor, UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { native } from './models.ts';
import { notClosedStates } from './user-queue-documents.ts';

/** The users behind the cursor, among those with `updatedAt` at or after the cursor's. */
const behind = (after: StalledUserCursor | undefined) =>
  after ? { $or: [{ updatedAt: { $gt: after.updatedAt } }, { _id: { $gt: after.userId } }] } : {};

export const progressStore = (
  execute: Execute,
): Pick<UserQueueStore, 'flushSettled' | 'noteQueueRefused' | 'noteLent' | 'stuck'> => ({
  flushSettled: async (progress, now) => {
    if (progress.length === 0) return;
    const updates = progress.map(({ userId, settled, advanced }) => {
      const times = advanced ? { vouchedAt: now, updatedAt: now } : { vouchedAt: now };
      return { updateOne: { filter: { _id: userId }, update: { $max: { settled }, $set: times } } };
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

  // Sorted by `updatedAt`, so that a limit never hides the users that have waited longest.
  stuck: (before, limit, which, after) =>
    execute(async ({ userQueues }) => {
      const pending = { $expr: { $lt: ['$settled', '$accepted'] } };
      const found = await userQueues
        .find(
          {
            state: { $in: notClosedStates },
            updatedAt: { $lt: before, $gte: after?.updatedAt ?? new Date(0) },
            $and: [{ $or: [pending, { sessions: { $size: 0 } }, { state: 'closing' }] }, behind(after)],
            ...(which === 'unvouched' ? { vouchedAt: { $not: { $gte: before } } } : {}),
          },
          { lane: 1, accepted: 1, settled: 1, updatedAt: 1 },
        )
        .sort({ updatedAt: 1, _id: 1 })
        .limit(limit)
        .lean();
      return found.map(({ _id, ...user }) => ({ userId: _id, ...user }));
    }),
});
