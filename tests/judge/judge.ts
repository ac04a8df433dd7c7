/**
 * Decides from a recorded history whether Lanekeeper kept its guarantees. The judge is pure: it does not know how the
 * history was made, so the tests on real servers, chaos and the simulation all use it. The rules are in the files
 * beside it.
 */
import type { RequestStatus } from '../../lib/types.ts';
import { createExcuses, type JudgeOptions } from './excuses.ts';
import { byUser, type FinalState, type HistoryEvent, type UserHistory } from './history.ts';
import { judgeDeadLetters, judgeKept, judgeKeys } from './kept.ts';
import { judgeOrder, judgeSettledBefore } from './order.ts';
import { judgeOutcomes } from './outcomes.ts';
import { judgePairs, judgeRepeats } from './repeats.ts';
import type { Report, Violation } from './violation.ts';

export type Verdict = {
  ok: boolean;
  violations: Violation[];
  counts: {
    users: number;
    accepted: number;
    refused: number;
    runs: number;
    /** Runs that were not the first run of their request. */
    repeats: number;
    /** Runs of a worker that was cut off but alive, excused by a fault. */
    staleRuns: number;
    faults: number;
    done: number;
    failed: number;
    cancelled: number;
    abandoned: number;
  };
};

/** Guarantee 5: queues end. */
const judgeQueues = (final: FinalState): Violation[] => [
  ...final.leftOverQueues.map((queue) => ({
    kind: 'leftover-queue' as const,
    userId: queue,
    detail: `${queue} still exists`,
  })),
  ...final.userQueues
    .filter(({ state, accepted, settled }) => state !== 'closed' || accepted !== settled)
    .map(({ userId, state, accepted, settled }) => ({
      kind: 'not-closed' as const,
      userId,
      detail: `${state}, accepted ${accepted}, settled ${settled}`,
    })),
];

const count = (users: UserHistory[], events: HistoryEvent[], staleRuns: number): Verdict['counts'] => {
  const entries = users.flatMap((user) => user.entries);
  const having = (status: RequestStatus): number => entries.filter((entry) => entry.status === status).length;
  const started = events.filter((event) => event.kind === 'started');
  return {
    users: users.length,
    accepted: events.filter((event) => event.kind === 'accepted').length,
    refused: events.filter((event) => event.kind === 'refused').length,
    runs: started.length,
    repeats: started.filter((event) => event.attempt > 1).length,
    staleRuns,
    faults: events.filter((event) => event.kind === 'fault').length,
    done: having('done'),
    failed: having('failed'),
    cancelled: having('cancelled'),
    abandoned: having('abandoned'),
  };
};

/** Returns every violation of the guarantees that the history shows. */
export const judgeHistory = (events: HistoryEvent[], final: FinalState, options: JudgeOptions = {}): Verdict => {
  const faults = events.filter((event) => event.kind === 'fault');
  const excuses = createExcuses(faults, options);
  const users = byUser(events, final);
  const acceptedOf = new Map(final.userQueues.map(({ userId, accepted }) => [userId, accepted]));
  const violations = judgeQueues(final);
  let staleRuns = 0;
  for (const user of users) {
    const report: Report = (kind, seq, detail) => violations.push({ kind, userId: user.userId, seq, detail });
    const stale = judgeOrder(user, excuses, options, report);
    staleRuns += stale.size;
    judgeSettledBefore(user, stale, report);
    judgeRepeats(user, stale, excuses, report);
    judgePairs(user, excuses, report);
    judgeOutcomes(user, stale, excuses, report);
    judgeKept(user, acceptedOf.get(user.userId) ?? 0, report);
    judgeDeadLetters(user, report);
    judgeKeys(user, report);
  }
  return { ok: violations.length === 0, violations, counts: count(users, events, staleRuns) };
};
