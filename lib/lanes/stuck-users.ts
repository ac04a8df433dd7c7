/** Users whose pending work makes no progress: `GET /stuck` lists them, and the metric counts them. */
import { isAhead } from '../database-clock.ts';
import type { Deps } from '../deps.ts';
import type { StalledUser, TimeSpan } from '../ports.ts';
import type { EntryHead, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { firstUnflushed, isPending, lastTimes, oldestPendingOf, wasAcceptedIn } from './stalled-users.ts';

/**
 * The newest progress of a user: a request was settled, or its oldest one was accepted, started or dead-lettered. `undefined`: all
 * of that lies ahead, because MongoDB's clock was set back.
 */
export const lastProgress = (
  queue: Pick<UserQueue, 'updatedAt'>,
  head: Pick<EntryHead, 'acceptedAt' | 'startedAt' | 'deadLetter'> | undefined,
  now: Date,
): Date | undefined => {
  const times = [queue.updatedAt, head?.acceptedAt, head?.startedAt, head?.deadLetter?.at];
  const known = times.flatMap((time) => (time && !isAhead(time, now) ? [time.getTime()] : []));
  return known.length > 0 ? new Date(Math.max(...known)) : undefined;
};

/** `head` is the oldest pending request, if it is in the ledger. */
export type UserWithoutProgress = { user: StalledUser; head: EntryHead | undefined; sinceMs: number };

/** Stalled users that are examined at a time. */
const pageSize = 1_000;

type SearchDeps = Pick<Deps, 'clock'> & {
  userQueues: Pick<Deps['userQueues'], 'stuck'>;
  ledger: Pick<Deps['ledger'], 'readHeads' | 'oldestPending'>;
  config: Pick<Deps['config'], 'stuckAfterMs'>;
};

/** The stalled users whose pending work was not accepted `recently`, each with its oldest pending request. */
const withOldHeads = async (
  stalled: StalledUser[],
  recently: TimeSpan,
  { ledger }: Pick<SearchDeps, 'ledger'>,
): Promise<{ user: StalledUser; head: EntryHead | undefined }[]> => {
  const firstOf = await firstUnflushed(stalled, ledger);
  const old = stalled.filter(isPending).filter(({ userId }) => {
    const first = firstOf.get(userId);
    return !first || !wasAcceptedIn(recently, first);
  });
  const pendingFirst = ({ userId }: StalledUser) => {
    const first = firstOf.get(userId);
    return first && !isSettled(first) ? first : undefined;
  };
  const searched = old.filter((user) => !pendingFirst(user)).map((user) => ({ ...user, settled: user.settled + 1 }));
  const later = await oldestPendingOf(searched, ledger);
  return old.map((user) => ({ user, head: pendingFirst(user) ?? later.get(user.userId) }));
};

/**
 * At most `limit` users and the rest of their page. The user queue says when a request was last settled; whether the oldest request
 * has waited for long, its ledger entry says. Users that came back a moment ago are skipped, page after page, so that they hide nobody.
 */
export const findUsersWithoutProgress = async (limit: number, deps: SearchDeps): Promise<UserWithoutProgress[]> => {
  const now = deps.clock.now();
  const recently = lastTimes(now, deps.config.stuckAfterMs);
  const found: UserWithoutProgress[] = [];
  let page: StalledUser[] = [];
  do {
    page = await deps.userQueues.stuck(recently, pageSize, 'all', page.at(-1));
    for (const { user, head } of await withOldHeads(page, recently, deps)) {
      const sinceMs = now.getTime() - (lastProgress(user, head, now) ?? recently.from).getTime();
      if (sinceMs >= deps.config.stuckAfterMs) found.push({ user, head, sinceMs });
    }
  } while (page.length === pageSize && found.length < limit);
  return found;
};
