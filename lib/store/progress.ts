/** What owners record about the progress of their users. */
import type { UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { native } from './models.ts';
import { notClosedStates } from './user-queue-documents.ts';

export const progressStore = (
  execute: Execute,
): Pick<UserQueueStore, 'flushSettled' | 'noteQueueRefused' | 'noteLent' | 'countPending'> => ({
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
});
