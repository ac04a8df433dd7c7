/** Users whose pending work makes no progress, and the reason: the first thing that an operator asks. */
import { isAhead } from '../database-clock.ts';
import type { Deps } from '../deps.ts';
import { heartbeatValidMs } from '../heartbeat-times.ts';
import { findUsersWithoutProgress } from '../lanes/stuck-users.ts';
import type { Heartbeat } from '../ports.ts';
import type { EntryHead } from '../types.ts';
import { userNames } from './find-user.ts';

/**
 * - `blocked`: a person must decide about its oldest request.
 * - `no-worker`: no worker sends heartbeats.
 * - `worker-hung`: the worker that owned its lane a moment ago sends no heartbeats, and no other worker acquired the lane.
 * - `lane-without-owner`: no worker reports that it owns the lane.
 * - `unresponsive-run`: its oldest request is running, and goes on against its signal.
 * - `long-run`: its oldest request is running.
 * - `waiting`: for its next attempt, for a free slot, or for a function between ticket and record.
 */
export type StuckReason =
  | 'blocked'
  | 'no-worker'
  | 'worker-hung'
  | 'lane-without-owner'
  | 'unresponsive-run'
  | 'long-run'
  | 'waiting';

/** An older heartbeat says nothing: lanes have moved since. */
const staleMs = 60_000;

type Sign = Pick<Heartbeat, 'lanes' | 'unresponsive' | 'gone' | 'at'>;

export const stuckReason = (
  { userId, lane }: { userId: string; lane: number },
  head: Pick<EntryHead, 'status' | 'retryAt'> | undefined,
  heartbeats: Sign[],
  now: Date,
): StuckReason => {
  if (head?.status === 'blocked') return 'blocked';
  // A heartbeat that is ahead by more than the tolerance was sent before MongoDB's clock was set back.
  const ageOf = ({ at }: Sign) => (isAhead(at, now) ? staleMs : now.getTime() - at.getTime());
  const isCurrent = (heartbeat: Sign) => !heartbeat.gone && ageOf(heartbeat) <= heartbeatValidMs;
  const runs = head?.status === 'processing' && !head.retryAt;
  const isUnresponsive = (heartbeat: Sign) => isCurrent(heartbeat) && heartbeat.unresponsive.includes(userId);
  if (runs && heartbeats.some(isUnresponsive)) return 'unresponsive-run';
  const owners = heartbeats.filter((heartbeat) => heartbeat.lanes.includes(lane) && ageOf(heartbeat) < staleMs);
  if (owners.some(isCurrent)) return runs ? 'long-run' : 'waiting';
  if (owners.length > 0) return 'worker-hung';
  return heartbeats.some(isCurrent) ? 'lane-without-owner' : 'no-worker';
};

/** `user`: the reference, or the account's user name. `seq` is the oldest pending request, if it is in the ledger. `ending`: when an operator ended its run. */
export type StuckUser = {
  userId: string;
  user: string | undefined;
  lane: number;
  seq: number | undefined;
  reason: StuckReason;
  ending?: Date;
  sinceMs: number;
};

type StuckDeps = Pick<Deps, 'userQueues' | 'ledger' | 'workers' | 'accounts' | 'clock'> & {
  config: Pick<Deps['config'], 'stuckAfterMs'>;
};

/** At most `limit` stuck users, the longest stuck first. */
export const findStuck = async (limit: number, deps: StuckDeps): Promise<StuckUser[]> => {
  const now = deps.clock.now();
  const heartbeats = await deps.workers.all();
  const found = await findUsersWithoutProgress(limit, deps);
  const longest = found.sort((one, other) => other.sinceMs - one.sinceMs).slice(0, limit);
  const names = await userNames(
    longest.map(({ user }) => user.userId),
    deps,
  );
  return longest.map(({ user, head, sinceMs }) => ({
    userId: user.userId,
    user: names.get(user.userId),
    lane: user.lane,
    seq: head?.seq,
    reason: stuckReason(user, head, heartbeats, now),
    ending: head?.endRequestedAt,
    sinceMs,
  }));
};
