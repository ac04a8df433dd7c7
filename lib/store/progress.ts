/** What owners record about the progress of their users. */
import type { Progress, UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { native } from './native.ts';
import { valueFor } from './value-for.ts';

/** Progress of one kind is one update. */
const kindOf = ({ settledBytes, advanced }: Progress): string => `${Boolean(settledBytes)} ${advanced}`;

export const progressStore = (
  execute: Execute,
): Pick<UserQueueStore, 'flushSettled' | 'noteQueueRefused' | 'noteLent' | 'countPending'> => ({
  flushSettled: async (progress, now) => {
    if (progress.length === 0) return;
    const updates = [...Map.groupBy(progress, kindOf).values()].map((alike) => {
      const ids = alike.map(({ userId }) => userId);
      const highest = (name: 'settled' | 'settledBytes') => ({
        $max: [`$${name}`, valueFor(alike.map((one) => [one.userId, one[name]]))],
      });
      const [{ settledBytes, advanced } = {}] = alike;
      const bytes = settledBytes ? { settledBytes: highest('settledBytes') } : {};
      const times = advanced ? { vouchedAt: now, updatedAt: now } : { vouchedAt: now };
      const update = [{ $set: { settled: highest('settled'), ...bytes, ...times } }];
      return { updateMany: { filter: { _id: { $in: ids } }, update } };
    });
    await execute(({ userQueues }) => native(userQueues).updateTwice(updates));
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

  // Nobody else has anything pending: who is closing or quiet has not got a ticket since. The index finds them.
  countPending: () =>
    execute(
      async ({ userQueues }) => {
        const [sum] = await userQueues.aggregate<{ requests: number; users: number }>([
          { $match: { state: 'open', quiet: null } },
          { $project: { pending: { $subtract: ['$accepted', '$settled'] } } },
          {
            $group: {
              _id: null,
              requests: { $sum: '$pending' },
              users: { $sum: { $cond: [{ $gt: ['$pending', 0] }, 1, 0] } },
            },
          },
        ]);
        return { requests: sum?.requests ?? 0, users: sum?.users ?? 0 };
      },
      undefined,
      { mayBeSlow: true },
    ),
});
