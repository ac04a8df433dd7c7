/** Pages of users, for operators. Each page reads as many documents as it has, from an index. */
import type { UserPageQuery, UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import type { UserQueueDocument } from './models.ts';
import { native } from './native.ts';
import { toUserQueue } from './user-queue-documents.ts';

/** Above every text that begins with `prefix`: no text holds this code point. */
const endOf = (prefix: string): string => `${prefix}\u{10ffff}`;

const afterId = (after: { userId: string } | undefined) => (after ? { _id: { $gt: after.userId } } : {});

/** Equal values, a range, and the order of an index, in this order: that is how an index serves them. */
const searchOf = (query: UserPageQuery): { filter: object; sort: Record<string, 1> } => {
  const { show, lane, name, after } = query;
  if (name !== undefined) {
    // Many users may have one name: a back end's reference may be the name of an account.
    const from = after?.user ?? name;
    const behind = after ? { $or: [{ user: { $gt: from } }, { _id: { $gt: after.userId } }] } : {};
    const ofLane = lane === undefined ? {} : { lane };
    return { filter: { user: { $gte: from, $lt: endOf(name) }, ...ofLane, ...behind }, sort: { user: 1, _id: 1 } };
  }
  if (lane !== undefined) {
    const state = show === 'waiting' ? { state: 'open' } : {};
    return { filter: { lane, ...state, ...afterId(after) }, sort: { _id: 1 } };
  }
  if (show === 'all') return { filter: afterId(after), sort: { _id: 1 } };
  const from = after?.updatedAt ?? new Date(0);
  const behind = after ? { $or: [{ updatedAt: { $gt: from } }, { _id: { $gt: after.userId } }] } : {};
  // Users without pending work are noted as quiet.
  return {
    filter: { state: 'open', quiet: null, updatedAt: { $gte: from }, ...behind },
    sort: { updatedAt: 1, _id: 1 },
  };
};

export const userPageStore = (execute: Execute): Pick<UserQueueStore, 'page'> => ({
  page: (query) =>
    execute(async ({ userQueues }) => {
      const { filter, sort } = searchOf(query);
      const found = await native(userQueues).find(filter as Partial<UserQueueDocument>, {
        projection: { tickets: 0 },
        sort,
        limit: query.limit,
      });
      return found.map(toUserQueue);
    }),
});
