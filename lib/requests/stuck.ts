/** Users whose pending work makes no progress, and the reason: the first thing that an operator asks. */
import { isAhead } from '../database-clock.ts';
import type { Deps } from '../deps.ts';
import { heartbeatValidMs } from '../heartbeat-times.ts';
import { firstUnflushed, isPending, lastTimes, oldestPendingOf, wasAcceptedIn } from '../lanes/stalled-users.ts';
import type { Heartbeat, StalledUser, TimeSpan } from '../ports.ts';
import type { EntryHead, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';

/**
 * - `blocked`: a person must decide about its oldest request.
 * - `no-worker`: no worker sends heartbeats.
 * - `worker-hung`: the worker that owned its lane a moment ago sends no heartbeats, and no other worker acquired the lane.
 * - `lane-without-owner`: no worker reports that it owns the lane.
 * - `long-run`: its oldest request is running.
 * - `waiting`: for its next attempt, for a free slot, or for a function between ticket and record.
 */
export type StuckReason = 'blocked' | 'no-worker' | 'worker-hung' | 'lane-without-owner' | 'long-run' | 'waiting';

/** An older heartbeat says nothing: lanes have moved since. */
const staleMs = 60_000;

export const stuckReason = (
  head: Pick<EntryHead, 'status' | 'retryAt'> | undefined,
  lane: number,
  heartbeats: Pick<Heartbeat, 'lanes' | 'at'>[],
  now: Date,
): StuckReason => {
  if (head?.status === 'blocked') return 'blocked';
  // A heartbeat that is ahead by more than the tolerance was sent before MongoDB's clock was set back.
  const ageOf = ({ at }: Pick<Heartbeat, 'at'>) => (isAhead(at, now) ? staleMs : now.getTime() - at.getTime());
  const isCurrent = (heartbeat: Pick<Heartbeat, 'at'>) => ageOf(heartbeat) <= heartbeatValidMs;
  const owners = heartbeats.filter((heartbeat) => heartbeat.lanes.includes(lane) && ageOf(heartbeat) < staleMs);
  if (owners.some(isCurrent)) return head?.status === 'processing' && !head.retryAt ? 'long-run' : 'waiting';
  if (owners.length > 0) return 'worker-hung';
  return heartbeats.some(isCurrent) ? 'lane-without-owner' : 'no-worker';
};

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

/** `seq` is the oldest pending request, if it is in the ledger. */
export type StuckUser = {
  userId: string;
  username: string | undefined;
  lane: number;
  seq: number | undefined;
  reason: StuckReason;
  sinceMs: number;
};

/** Stalled users that are examined at a time. */
const pageSize = 1_000;

type StuckDeps = Pick<Deps, 'userQueues' | 'ledger' | 'workers' | 'accounts' | 'clock'> & {
  config: Pick<Deps['config'], 'stuckAfterMs'>;
};

/** The stalled users whose pending work was not accepted `recently`, each with its oldest pending request. */
const withOldHeads = async (
  stalled: StalledUser[],
  recently: TimeSpan,
  { ledger }: Pick<Deps, 'ledger'>,
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
 * At most `limit` stuck users, the longest stuck first. The user queue says when a request was last settled; whether the
 * oldest request has waited for long, its ledger entry says. Recently active users are skipped across pages, so they never
 * crowd out stuck ones.
 */
export const findStuck = async (limit: number, deps: StuckDeps): Promise<StuckUser[]> => {
  const now = deps.clock.now();
  const recently = lastTimes(now, deps.config.stuckAfterMs);
  const heartbeats = await deps.workers.all();
  const found: Omit<StuckUser, 'username'>[] = [];
  let page: StalledUser[] = [];
  do {
    page = await deps.userQueues.stuck(recently, pageSize, 'all', page.at(-1));
    for (const { user, head } of await withOldHeads(page, recently, deps)) {
      const { userId, lane } = user;
      const last = lastProgress(user, head, now) ?? recently.from;
      const sinceMs = now.getTime() - last.getTime();
      if (sinceMs < deps.config.stuckAfterMs) continue;
      found.push({ userId, lane, seq: head?.seq, reason: stuckReason(head, lane, heartbeats, now), sinceMs });
    }
  } while (page.length === pageSize && found.length < limit);
  const longest = found.sort((one, other) => other.sinceMs - one.sinceMs).slice(0, limit);
  const names = await deps.accounts.usernames(longest.map(({ userId }) => userId));
  return longest.map((user) => ({ ...user, username: names.get(user.userId) }));
};
