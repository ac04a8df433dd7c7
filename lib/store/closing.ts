/** The two steps that close a user queue [R8, R9]. Each is one atomic update. */
import type { UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { native } from './native.ts';
import { liveKeepingSession } from './user-queue-documents.ts';

export const closingStore = (execute: Execute): Pick<UserQueueStore, 'beginClose' | 'endClose'> => ({
  beginClose: (userId, accepted, onlyWithoutSession, now) =>
    execute(async ({ userQueues }) => {
      const withoutSession = onlyWithoutSession ? { sessions: { $not: liveKeepingSession(now) } } : {};
      const { matchedCount } = await native(userQueues).updateOne(
        { _id: userId, state: 'open', accepted, ...withoutSession },
        {
          $set: { state: 'closing', settled: accepted, closedThrough: accepted, updatedAt: now },
          $unset: { quiet: 1 },
        },
      );
      return matchedCount === 1;
    }),

  endClose: (userId, accepted, now) =>
    execute(async ({ userQueues }) => {
      const { matchedCount } = await native(userQueues).updateOne(
        { _id: userId, state: 'closing', accepted },
        { $set: { state: 'closed', updatedAt: now }, $unset: { queueRefused: 1, lent: 1, tickets: 1 } },
      );
      return matchedCount === 1;
    }),
});
