/** User queues as documents of the `userQueues` collection. */
import type { UserQueue, UserQueueState } from '../types.ts';
import type { UserQueueDocument } from './models.ts';

export const notClosedStates: UserQueueState[] = ['open', 'closing'];

export const toUserQueue = ({
  _id,
  closedThrough: _,
  refusal: __,
  countDue: ___,
  tickets: ____,
  quiet: _____,
  ...rest
}: UserQueueDocument): UserQueue => ({
  userId: _id,
  ...rest,
});

/** Matches the sessions of a user queue when one of them keeps it open, whether it is still live or not. */
export const keepingSession = { $elemMatch: { keepsQueue: { $ne: false } } };

/** Matches them when one that keeps it open is live. */
export const liveKeepingSession = (now: Date) => ({
  $elemMatch: { keepsQueue: { $ne: false }, expiresAt: { $gt: now } },
});

/** Matches the sessions of a user queue when one of them is live; with `id`, when such a one is. */
export const liveSession = (now: Date, id?: string | { $in: string[] }) => ({
  $elemMatch: { ...(id === undefined ? {} : { id }), expiresAt: { $gt: now } },
});
