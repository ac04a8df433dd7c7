/** User queues: the `userQueues` collection. */
import type { Clock, UserQueueStore } from '../ports.ts';
import { closingStore } from './closing.ts';
import type { Execute } from './connection.ts';
import { native } from './models.ts';
import { progressStore } from './progress.ts';
import { sessionStore } from './sessions.ts';
import { stalledStore } from './stalled.ts';
import { ticketStore } from './tickets.ts';
import { notClosedStates, toUserQueue } from './user-queue-documents.ts';

/** User queues that an acquisition loads with one query. */
const pageSize = 250;

/** @param clock shows MongoDB's time. */
export const userQueueStore = (execute: Execute, clock: Pick<Clock, 'now'>): UserQueueStore => {
  const get: UserQueueStore['get'] = (userIds) =>
    execute(async ({ userQueues }) => (await native(userQueues).find({ _id: { $in: userIds } })).map(toUserQueue));

  return {
    get,

    lastAccepted: (userIds) =>
      execute(async ({ userQueues }) => {
        const found = await native(userQueues).find({ _id: { $in: userIds } }, { projection: { accepted: 1 } });
        return new Map(found.map(({ _id, accepted }) => [_id, accepted]));
      }),

    notClosed: async function* (lane) {
      let after = '';
      for (;;) {
        const filter = { lane, state: { $in: notClosedStates }, _id: { $gt: after } };
        const page = await execute(({ userQueues }) =>
          native(userQueues).find(filter, { sort: { _id: 1 }, limit: pageSize }),
        );
        if (page.length > 0) yield page.map(toUserQueue);
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        after = last._id;
      }
    },

    ...sessionStore(execute),
    ...ticketStore(execute, clock),
    ...closingStore(execute),
    ...progressStore(execute),
    ...stalledStore(execute),
  };
};
