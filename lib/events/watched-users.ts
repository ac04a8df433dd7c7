/** The users that somebody in this process listens to, and what is known of their queues. */
import type { Cursor, WatchedQueue } from '../ports.ts';
import type { UserQueue } from '../types.ts';
import type { Listener } from './listener.ts';

export type WatchedUser = Omit<WatchedQueue, 'sessions'> & {
  lane: number;
  /** Where a hint says that requests are. Nobody has seen them yet. */
  hinted: number;
  streams: Set<Listener>;
};

export const watchedUserOf = ({ userId, lane, accepted, settled, state }: UserQueue): WatchedUser => ({
  ...{ userId, lane, accepted, settled, state },
  hinted: accepted,
  streams: new Set(),
});

/** What a read has found. Counts never go back: it may be older than what is known. Returns whether something is new. */
export const noteQueue = (
  user: WatchedUser,
  { accepted, settled, state }: Pick<WatchedQueue, 'accepted' | 'settled' | 'state'>,
): boolean => {
  const isNew = accepted > user.accepted || settled > user.settled || state !== user.state;
  user.accepted = Math.max(user.accepted, accepted);
  user.settled = Math.max(user.settled, settled);
  user.state = state;
  return isNew;
};

/** The last request that may exist. */
export const lastOf = ({ accepted, hinted }: WatchedUser): number => Math.max(accepted, hinted);

/** How far the queue has come, as far as a client of this cursor can know. The owner flushes `settled` now and then; the client may know more. */
export const settledFor = ({ accepted, settled }: WatchedUser, known: Cursor, seq: number | undefined): number =>
  seq === undefined ? Math.max(settled, Math.min(known.settledThrough, accepted)) : settled;

/** The data of a `queue` event. @param seq the one request that the client follows. */
export const queueText = (user: WatchedUser, known: Cursor, seq: number | undefined): string => {
  const { accepted, state } = user;
  const settled = settledFor(user, known, seq);
  const position = seq === undefined || seq <= known.settledThrough ? undefined : Math.max(1, seq - settled);
  return JSON.stringify({ queue: { accepted, settled, pending: accepted - settled, state, position } });
};
