/** The attempts of a request: those in its log, and the newest one, which its entry describes. */
import type { Deps } from '../deps.ts';
import type { LoggedAttempt } from '../logged-attempt.ts';
import { isInBackOff, type LedgerEntry } from '../types.ts';

/** Without `outcome`: it is under way. Without `endedAt` but with an outcome: an earlier version did not record when it ended. */
export type Attempt = Omit<LoggedAttempt, 'endedAt' | 'outcome'> & Partial<Pick<LoggedAttempt, 'endedAt' | 'outcome'>>;

type End = Pick<Attempt, 'endedAt' | 'outcome' | 'error'>;

/** How the newest attempt ended that is not in the log. `undefined`: the entry does not say it, because an earlier version ended it. */
const newestEnd = (entry: LedgerEntry): End | undefined => {
  const { status, settledAt, deadLetter, error } = entry;
  const failed = { outcome: deadLetter?.reason ?? 'failed', ...(error && { error }) } as const;
  if (status === 'done') return { endedAt: settledAt, outcome: 'done' };
  // One that was blocked, and is skipped now, became a dead letter when its attempt ended, and was settled long after.
  if (status === 'failed') return { endedAt: deadLetter?.at ?? settledAt, ...failed };
  if (status === 'blocked' || isInBackOff(entry)) return failed;
  return status === 'processing' ? {} : undefined;
};

/** Oldest first. The log has the last few of a long series. */
export const attemptsOf = (entry: LedgerEntry): Attempt[] => {
  const { attempts: attempt, token, startedAt, attemptLog = [] } = entry;
  if (token === undefined || !startedAt || attemptLog.at(-1)?.attempt === attempt) return attemptLog;
  const end = newestEnd(entry);
  return end ? [...attemptLog, { attempt, token, startedAt, ...end }] : attemptLog;
};

/** Which worker had each fencing token of a lane, as far as the lane remembers its moves. */
export const workersByToken = async (
  lane: number,
  { lanes }: Pick<Deps, 'lanes'>,
): Promise<ReadonlyMap<number, string>> => new Map((await lanes.moves(lane)).map(({ lease, owner }) => [lease, owner]));
