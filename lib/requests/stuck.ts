/** Users whose pending work makes no progress, and why: what an operator asks first. */
import type { Deps } from '../deps.ts';
import { signOfLifeMs } from '../lanes/lane-worker.ts';
import type { WorkerSign } from '../ports.ts';
import type { LedgerEntry, UserQueue } from '../types.ts';
import { usernamesOf } from './dead-letters.ts';

/**
 * - `blocked`: a person must decide about its oldest request.
 * - `no-worker`: no worker gives a sign of life.
 * - `worker-hung`: the worker that owned its lane gives none, and nobody took over.
 * - `lane-without-owner`: no worker says that it owns its lane.
 * - `long-run`: its oldest request runs.
 * - `waiting`: for its next attempt, a free slot, or a function between ticket and record.
 */
export type StuckReason = 'blocked' | 'no-worker' | 'worker-hung' | 'lane-without-owner' | 'long-run' | 'waiting';

/** Several signs may be late before a worker counts as silent. */
const youngMs = 3 * signOfLifeMs;
/** An older sign says nothing any more: lanes have moved since. */
const staleMs = 60_000;

export const stuckReason = (
  head: Pick<LedgerEntry, 'status' | 'retryAt'> | undefined,
  lane: number,
  signs: Pick<WorkerSign, 'lanes' | 'at'>[],
  now: Date,
): StuckReason => {
  if (head?.status === 'blocked') return 'blocked';
  const ageOf = ({ at }: Pick<WorkerSign, 'at'>) => now.getTime() - at.getTime();
  const young = signs.filter((sign) => ageOf(sign) <= youngMs);
  if (young.length === 0) return 'no-worker';
  if (!young.some(({ lanes }) => lanes.includes(lane))) {
    const hung = signs.some((sign) => ageOf(sign) > youngMs && ageOf(sign) < staleMs && sign.lanes.includes(lane));
    return hung ? 'worker-hung' : 'lane-without-owner';
  }
  return head?.status === 'processing' && !head.retryAt ? 'long-run' : 'waiting';
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

/** How many suspects are looked at; those with the oldest progress come first. */
const maxSuspects = 1_000;

/** The longest stuck first. A user queue says when something was settled; whether that is too long ago, its head says. */
export const findStuck = async (
  limit: number,
  deps: Pick<Deps, 'userQueues' | 'ledger' | 'workers' | 'accounts' | 'clock'> & {
    config: Pick<Deps['config'], 'stuckAfterMs'>;
  },
): Promise<StuckUser[]> => {
  const now = deps.clock.now();
  const before = new Date(now.getTime() - deps.config.stuckAfterMs);
  const [suspects, signs] = await Promise.all([
    deps.userQueues.stuck(before, maxSuspects, 'all'),
    deps.workers.since(new Date(now.getTime() - staleMs)),
  ]);
  const queues = await deps.userQueues.get(suspects.map(({ userId }) => userId));
  const pending = queues.filter(({ settled, accepted }) => settled < accepted);
  const heads = await Promise.all(pending.map(({ userId, settled }) => deps.ledger.oldestPending(userId, settled + 1)));
  const found = pending.flatMap((queue, index) => {
    const { userId, lane } = queue;
    const head = heads[index];
    const sinceMs = now.getTime() - lastProgress(queue, head).getTime();
    if (sinceMs < deps.config.stuckAfterMs) return [];
    return [{ userId, lane, seq: head?.seq, reason: stuckReason(head, lane, signs, now), sinceMs }];
  });
  const longest = found.sort((one, other) => other.sinceMs - one.sinceMs).slice(0, limit);
  const names = await usernamesOf(
    longest.map(({ userId }) => userId),
    deps,
  );
  return longest.map((user) => ({ ...user, username: names.get(user.userId) }));
};
