/** Users whose pending work makes no progress, and the reason: the first thing that an operator asks. */
import type { Deps } from '../deps.ts';
import { findUsersWithoutProgress } from '../lanes/stuck-users.ts';
import { userNames } from './find-user.ts';
import { headWithoutEntry, type Verdict, type VerdictCode, verdictOf } from './verdict.ts';

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

/** The same facts and rules as the verdict, of a user whose work makes no progress. */
const reasonOf: Record<VerdictCode, StuckReason> = {
  idle: 'waiting',
  draining: 'waiting',
  running: 'long-run',
  next: 'waiting',
  'waiting-for-slot': 'waiting',
  'between-attempts': 'waiting',
  blocked: 'blocked',
  'unresponsive-run': 'unresponsive-run',
  'no-worker': 'no-worker',
  'broker-away': 'lane-without-owner',
  'worker-hung': 'worker-hung',
  'lane-without-owner': 'lane-without-owner',
};

/** `user`: the reference, or the account's user name. `seq` is the oldest pending request, if it is in the ledger. `ending`: when an operator ended its run. */
export type StuckUser = {
  userId: string;
  user: string | undefined;
  lane: number;
  seq: number | undefined;
  reason: StuckReason;
  verdict: Verdict;
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
  return longest.map(({ user, head, sinceMs }) => {
    const verdict = verdictOf({ ...user, state: 'open' }, head ?? headWithoutEntry(user), { signs: heartbeats, now });
    const { userId, lane } = user;
    const reason = reasonOf[verdict.code];
    return {
      userId,
      user: names.get(userId),
      lane,
      seq: head?.seq,
      reason,
      verdict,
      ending: head?.endRequestedAt,
      sinceMs,
    };
  });
};
