/** The search for users without progress. */
import type { StalledUser, StalledUserCursor, TimeSpan, UserQueueStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import type { UserQueueDocument } from './models.ts';
import { native } from './native.ts';
import { keepingSession } from './user-queue-documents.ts';

/** Users that one statement reads at least: most of those who are idle are read once. */
const pageSize = 250;

/** Users that one statement notes as quiet. */
const noteSize = 100;

type Range = { $lt: Date } | { $gt: Date };
type Search = { recently: TimeSpan; which: 'all' | 'unvouched' };
type Found = Pick<UserQueueDocument, '_id' | 'lane' | 'accepted' | 'settled' | 'updatedAt' | 'sessions'>;

const projection = {
  lane: 1,
  accepted: 1,
  settled: 1,
  updatedAt: 1,
  'sessions.id': 1,
  'sessions.keepsQueue': 1,
} as const;

/** The users behind the cursor, among those with `updatedAt` at or after the cursor's. */
const behind = (after: StalledUserCursor | undefined) =>
  after ? { $or: [{ updatedAt: { $gt: after.updatedAt } }, { _id: { $gt: after.userId } }] } : {};

const byUpdate = (a: StalledUser, b: StalledUser): number =>
  a.updatedAt.getTime() - b.updatedAt.getTime() || (a.userId < b.userId ? -1 : 1);

const isQuiet = ({ settled, accepted, sessions }: Found): boolean =>
  settled >= accepted && sessions.some(({ keepsQueue = true }) => keepsQueue);

const toStalled = ({ _id: userId, lane, accepted, settled, updatedAt }: Found): StalledUser => ({
  userId,
  lane,
  accepted,
  settled,
  updatedAt,
});

const searchOf = (execute: Execute, { recently: { from, to }, which }: Search) => {
  const unvouched = which === 'unvouched' ? { vouchedAt: { $not: { $gte: from, $lte: to } } } : {};

  /** `quiet` is null or absent where somebody has to look. Equal values before a range: that is how the index serves it. */
  const find = (state: 'open' | 'closing', range: Range, after: StalledUserCursor | undefined, limit: number) =>
    execute(({ userQueues }) => {
      const updatedAt = { $gte: after?.updatedAt ?? new Date(0), ...range };
      const filter = { state, ...(state === 'open' ? { quiet: null } : {}), updatedAt, ...behind(after), ...unvouched };
      return native(userQueues).find(filter, { projection, sort: { updatedAt: 1, _id: 1 }, limit });
    });

  /** Only those who are still as they were read: a ticket may have come in between. */
  const noteQuiet = async (users: Found[]): Promise<void> => {
    for (let first = 0; first < users.length; first += noteSize) {
      const alike = Map.groupBy(users.slice(first, first + noteSize), ({ accepted }) => accepted);
      const updates = [...alike].map(([accepted, some]) => {
        const asRead = { state: 'open' as const, accepted, settled: accepted, sessions: keepingSession };
        const filter = { _id: { $in: some.map(({ _id }) => _id) }, ...asRead };
        return { updateMany: { filter, update: { $set: { quiet: true as const } } } };
      });
      await execute(({ userQueues }) => native(userQueues).bulkWrite(updates, { ordered: false }));
    }
  };

  const findOpen = async (range: Range, after: StalledUserCursor | undefined, limit: number): Promise<Found[]> => {
    const found: Found[] = [];
    const size = Math.max(limit, pageSize);
    for (let from = after; ; ) {
      const page = await find('open', range, from, size);
      found.push(...page.filter((user) => !isQuiet(user)));
      // The mark only saves later searches work: without it they read these users again.
      await noteQuiet(page.filter(isQuiet)).catch(() => undefined);
      const last = page.at(-1);
      if (!last || page.length < size || found.length >= limit) return found;
      from = { userId: last._id, updatedAt: last.updatedAt };
    }
  };

  return async (range: Range, after: StalledUserCursor | undefined, limit: number): Promise<StalledUser[]> => {
    const found = [...(await findOpen(range, after, limit)), ...(await find('closing', range, after, limit))];
    return found.map(toStalled).sort(byUpdate).slice(0, limit);
  };
};

/**
 * Sorted by `updatedAt`, so that a limit never hides the users that have waited longest. The second search finds somebody only after
 * MongoDB's clock was set back.
 */
export const stalledStore = (execute: Execute): Pick<UserQueueStore, 'stuck'> => ({
  stuck: async (recently, limit, which, after) => {
    const search = searchOf(execute, { recently, which });
    const before = await search({ $lt: recently.from }, after, limit);
    if (before.length >= limit) return before;
    return [...before, ...(await search({ $gt: recently.to }, after, limit - before.length))];
  },
});
