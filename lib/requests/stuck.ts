/** Users whose pending work makes no progress, and why: what an operator asks first. */
import type { Deps } from '../deps.ts';
import { heartbeatValidMs } from '../heartbeat.ts';
import { firstUnflushed, isPending, isRecent } from '../lanes/stalled-users.ts';
import type { Heartbeat, StalledUser } from '../ports.ts';
import type { EntryHead, LedgerEntry, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { usernamesOf } from './dead-letters.ts';

/**
 * - `blocked`: a person must decide about its oldest request.
 * - `no-worker`: no worker gives a sign of life.
 * - `worker-hung`: the worker that owned its lane a moment ago gives none, and nobody took over.
 * - `lane-without-owner`: no worker says that it owns its lane.
 * - `long-run`: its oldest request runs.
 * - `waiting`: for its next attempt, a free slot, or a function between ticket and record.
 */
export type StuckReason = 'blocked' | 'no-worker' | 'worker-hung' | 'lane-without-owner' | 'long-run' | 'waiting';

/** An older sign says nothing any more: lanes have moved since. */
const staleMs = 60_000;

export const stuckReason = (
  head: Pick<LedgerEntry, 'status' | 'retryAt'> | undefined,
  lane: number,
  heartbeats: Pick<Heartbeat, 'lanes' | 'at'>[],
  now: Date,
): StuckReason => {
  if (head?.status === 'blocked') return 'blocked';
  const ageOf = ({ at }: Pick<Heartbeat, 'at'>) => now.getTime() - at.getTime();
  const isCurrent = (heartbeat: Pick<Heartbeat, 'at'>) => ageOf(heartbeat) <= heartbeatValidMs;
  const owners = heartbeats.filter((heartbeat) => heartbeat.lanes.includes(lane) && ageOf(heartbeat) < staleMs);
  if (owners.some(isCurrent)) return head?.status === 'processing' && !head.retryAt ? 'long-run' : 'waiting';
  if (owners.length > 0) return 'worker-hung';
  return heartbeats.some(isCurrent) ? 'lane-without-owner' : 'no-worker';
};

/** The newest sign of progress of a user: something settled, its oldest request accepted, started or put aside. */
export const lastProgress = (
  queue: Pick<UserQueue, 'updatedAt'>,
  head: Pick<LedgerEntry, 'acceptedAt' | 'startedAt' | 'deadLetter'> | undefined,
): Date => {
  const times = [queue.updatedAt, head?.acceptedAt, head?.startedAt, head?.deadLetter?.at];
  return new Date(Math.max(...times.map((time) => time?.getTime() ?? 0)));
};

/** `seq` is the oldest pending request, where it is in the ledger. */
export type StuckUser = {
  userId: string;
  username: string | undefined;
  lane: number;
  seq: number | undefined;
  reason: StuckReason;
  sinceMs: number;
};

/** Suspects that are judged at a time. */
const pageSize = 1_000;

type StuckDeps = Pick<Deps, 'userQueues' | 'ledger' | 'workers' | 'accounts' | 'clock'> & {
  config: Pick<Deps['config'], 'stuckAfterMs'>;
};

/** Those of the stalledUsers whose pending work has waited since `before`, with its oldest request. */
const withOldHeads = async (
  stalledUsers: StalledUser[],
  before: Date,
  now: Date,
  { ledger }: Pick<Deps, 'ledger'>,
): Promise<{ suspect: StalledUser; head: EntryHead | undefined }[]> => {
  const first = await firstUnflushed(stalledUsers, ledger);
  const old = stalledUsers.filter(isPending).filter(({ userId }) => {
    const entry = first.get(userId);
    return !entry || !isRecent(entry, before, now);
  });
  const headOf = async (suspect: StalledUser) => {
    const entry = first.get(suspect.userId);
    return entry && !isSettled(entry) ? entry : ledger.oldestPending(suspect.userId, suspect.settled + 1);
  };
  return Promise.all(old.map(async (suspect) => ({ suspect, head: await headOf(suspect) })));
};

/**
 * The longest stuck first, of those found. A user queue says when something was settled; whether that is too long ago, its
 * head says. Who has just come back after a pause is passed over, page after page, so that it hides nobody.
 */
export const findStuck = async (limit: number, deps: StuckDeps): Promise<StuckUser[]> => {
  const now = deps.clock.now();
  const before = new Date(now.getTime() - deps.config.stuckAfterMs);
  const heartbeats = await deps.workers.since(new Date(now.getTime() - staleMs));
  const found: Omit<StuckUser, 'username'>[] = [];
  let page: StalledUser[] = [];
  do {
    page = await deps.userQueues.stuck(before, pageSize, 'all', page.at(-1));
    for (const { suspect, head } of await withOldHeads(page, before, now, deps)) {
      const { userId, lane } = suspect;
      const sinceMs = now.getTime() - lastProgress(suspect, head).getTime();
      if (sinceMs < deps.config.stuckAfterMs) continue;
      found.push({ userId, lane, seq: head?.seq, reason: stuckReason(head, lane, heartbeats, now), sinceMs });
    }
  } while (page.length === pageSize && found.length < limit);
  const longest = found.sort((one, other) => other.sinceMs - one.sinceMs).slice(0, limit);
  const names = await usernamesOf(
    longest.map(({ userId }) => userId),
    deps,
  );
  return longest.map((user) => ({ ...user, username: names.get(user.userId) }));
};
