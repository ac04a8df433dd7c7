/** User queues: the `userQueues` collection. */
import type { Clock, UserQueueStore } from '../ports.ts';
import { closingStore } from './closing.ts';
import type { Execute } from './connection.ts';
import { native } from './native.ts';
import { progressStore } from './progress.ts';
import { sessionStore } from './sessions.ts';
import { stalledStore } from './stalled.ts';
import { ticketStore } from './tickets.ts';
import { userPageStore } from './user-pages.ts';
import { notClosedStates, toUserQueue } from './user-queue-documents.ts';

/** User queues that an acquisition loads with one query. */
const pageSize = 250;

/** @param clock shows MongoDB's time. */
export const userQueueStore = (execute: Execute, clock: Pick<Clock, 'now'>): UserQueueStore => {
  const get: UserQueueStore['get'] = (userIds) =>
    execute(async ({ userQueues }) => (await native(userQueues).find({ _id: { $in: userIds } })).map(toUserQueue));

  return {
    get,

    // By lane and not by user: a server reads neighbors in an index faster than the same number of documents by their ids.
    lastTickets: (lanes) =>
      execute(async ({ userQueues }) => {
        const filter = { lane: { $in: lanes }, state: 'open' as const, quiet: null };
        const found = await native(userQueues).find(filter, { projection: { accepted: 1 } });
        return new Map(found.map(({ _id, accepted }) => [_id, accepted]));
      }),

    notClosed: async function* (lane) {
      let after = '';
      for (;;) {
        const filter = { lane, state: { $in: notClosedStates }, _id: { $gt: after } };
        const page = await execute(({ userQueues }) =>
          native(userQueues).find(filter, { sort: { _id: 1 }, limit: pageSize, projection: { tickets: 0 } }),
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
    ...userPageStore(execute),
  };
};
