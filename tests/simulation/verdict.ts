/** The violations of a simulated run: those that the judge finds, and those that only the simulation can see. */
import type { LedgerChange } from '../../lib/ledger-change.ts';
import { maxLoggedAttempts } from '../../lib/store/attempt-log.ts';
import { isSettled } from '../../lib/types.ts';
import { findLate } from '../chaos/promptness.ts';
import type { FinalState } from '../judge/history.ts';
import { judgeHistory } from '../judge/judge.ts';
import type { Violation as JudgeViolation } from '../judge/violation.ts';
import { timeouts, type Workers } from './workers.ts';
import type { SimulatedWorld } from './world.ts';

export type ViolationKind =
  | JudgeViolation['kind']
  /** The run did not come to rest in time. */
  | 'unfinished'
  /** A run that started long after nothing held it up any more. */
  | 'late'
  /** A session that ended before its time. */
  | 'session-lost'
  /**
   * A run that was claimed under a lower fencing token than an earlier claim of the user, so a processor sees the token
   * go down.
   */
  | 'stale-claim'
  /** A request that ran again although an operator had ended its run. */
  | 'ended-ran-again'
  /** A log of attempts in which one is missing, or is twice. */
  | 'attempt-log'
  /** A run whose body or limits are not those of the ledger. */
  | 'wrong-body'
  /** More user queues than the cap allows, for longer than a failover takes. */
  | 'above-cap'
  /** Room of bodies that was not given back. */
  | 'body-held'
  /** A lane without a message. Its next failover would have to wait for a wake. */
  | 'no-baton'
  /** A lane that no worker owns. */
  | 'no-owner'
  /** An error that no caller may receive, or that a worker logged as an error. */
  | 'error';

export type Violation = { kind: ViolationKind; detail: string; userId?: string; seq?: number };

/** The network may hold up the notification of a stale run and then the step after it, by at most 5 s each. */
const excuseMs = 10_000;

/**
 * Every step on the way to a run may be held up for 5 s, and some steps wait for others. A wrong clock shows as a minute.
 */
const lateMs = 45_000;
const retryMaxMs = 1_000;

/**
 * After a failover the new owner may open a queue before it deletes one that the last owner left. Each step may be held up for 5 s, and
 * a worker that is cut off may declare a queue late.
 */
const aboveCapMs = 30_000;

const laneNames = ({ scenario }: SimulatedWorld): string[] =>
  Array.from({ length: scenario.lanes }, (_, lane) => `lane.${lane}`);

const lanesOwned = (workers: Workers): number =>
  workers.live().reduce((sum, { worker }) => sum + worker.snapshot().lanesOwned, 0);

export const bytesHeld = (workers: Workers): number =>
  workers.live().reduce((sum, { worker }) => sum + worker.snapshot().heldBytes, 0);

export const isClosed = ({ database }: SimulatedWorld): boolean => {
  for (const { state, accepted, settled } of database.userQueues.values()) {
    if (state !== 'closed' || accepted !== settled) return false;
  }
  for (const entry of database.entries.values()) if (!isSettled(entry)) return false;
  return true;
};

export const isAtRest = (world: SimulatedWorld, workers: Workers): boolean =>
  isClosed(world) &&
  workers.running() === 0 &&
  lanesOwned(workers) >= world.scenario.lanes &&
  laneNames(world).every((lane) => world.broker.messageCount(lane) > 0);

const staleClaims = ({ database: { journal }, history }: SimulatedWorld): Violation[] => {
  const hasRun = ({ userId, seq, token, attempt }: LedgerChange): boolean =>
    history.some(
      (event) =>
        event.kind === 'started' &&
        event.userId === userId &&
        event.seq === seq &&
        event.fencingToken === token &&
        event.attempt === attempt,
    );
  const newest = new Map<string, LedgerChange>();
  return journal.flatMap((change) => {
    if (change.kind !== 'claim' || !hasRun(change)) return [];
    const before = newest.get(change.userId);
    if (!before || before.token <= change.token) {
      newest.set(change.userId, change);
      return [];
    }
    const detail = `request ${change.seq} was claimed under token ${change.token} after ${before.seq} under ${before.token}`;
    return [{ kind: 'stale-claim' as const, userId: change.userId, seq: change.seq, detail }];
  });
};

const stayedAboveCap = ({ aboveCap: { longestMs } }: SimulatedWorld): Violation[] =>
  longestMs <= aboveCapMs ? [] : [{ kind: 'above-cap', detail: `more queues than the cap allows for ${longestMs} ms` }];

/** [R14] */
const endedRanAgain = ({ database, ended }: SimulatedWorld): Violation[] =>
  [...database.entries].flatMap(([id, { userId, seq, attempts }]) => {
    const before = ended.get(id) ?? attempts;
    const detail = `attempt ${attempts} was claimed after the run of attempt ${before} had been ended`;
    return attempts > before ? [{ kind: 'ended-ran-again' as const, userId, seq, detail }] : [];
  });

/** The log ends with the attempt before the one that settled the request, or with the newest. It begins with the first, unless it is full. */
const wrongLogs = ({ database }: SimulatedWorld): Violation[] =>
  [...database.entries.values()].flatMap(({ userId, seq, attempts, attemptLog = [] }) => {
    const logged = attemptLog.map(({ attempt }) => attempt);
    const last = logged.at(-1) ?? 0;
    const length = Math.min(last, maxLoggedAttempts);
    const isWhole = logged.length === length && logged.every((attempt, index) => attempt === last - length + 1 + index);
    if (isWhole && last >= attempts - 1) return [];
    const detail = `of ${attempts} attempts, the log has ${logged.join(', ') || 'none'}`;
    return [{ kind: 'attempt-log' as const, userId, seq, detail }];
  });

export const leftOverQueues = ({ broker }: Pick<SimulatedWorld, 'broker'>): string[] =>
  broker.queues().filter((name) => name.startsWith('user.'));

export const finalState = ({ database, broker }: SimulatedWorld): FinalState => ({
  ledger: [...database.entries.values()].map((entry) => {
    const { userId, seq, key, status, attempts, result, deadLetter, endRequestedAt, retryOf } = entry;
    return {
      userId,
      seq,
      key,
      status,
      attempts,
      result,
      deadLetter,
      endRequested: endRequestedAt !== undefined,
      retryOf,
    };
  }),
  userQueues: [...database.userQueues.values()].map(({ userId, state, accepted, settled }) => ({
    userId,
    state,
    accepted,
    settled,
  })),
  leftOverQueues: leftOverQueues({ broker }),
});

export const violationsOf = (world: SimulatedWorld, workers: Workers, ended: boolean): Violation[] => {
  const violations: Violation[] = judgeHistory(world.history, finalState(world), {
    allowCutOff: true,
    excuseMs,
    graceMs: timeouts.graceMs,
  }).violations;
  for (const lane of laneNames(world)) {
    if (world.broker.messageCount(lane) === 0)
      violations.push({ kind: 'no-baton', detail: `${lane} holds no message` });
  }
  if (lanesOwned(workers) < world.scenario.lanes) {
    violations.push({ kind: 'no-owner', detail: `${lanesOwned(workers)} of ${world.scenario.lanes} lanes are owned` });
  }
  if (!ended) violations.push({ kind: 'unfinished', detail: 'the run did not come to rest in time' });
  else if (bytesHeld(workers) > 0) {
    violations.push({ kind: 'body-held', detail: `${bytesHeld(workers)} bytes are held at rest` });
  }
  violations.push(...staleClaims(world), ...endedRanAgain(world), ...stayedAboveCap(world), ...wrongLogs(world));
  violations.push(...findLate(world.history, { limitMs: world.scenario.lateMs ?? lateMs, retryMaxMs }));
  violations.push(...world.endedEarly.map((early) => ({ kind: 'session-lost' as const, ...early })));
  violations.push(...world.wrongBodies.map((wrong) => ({ kind: 'wrong-body' as const, ...wrong })));
  violations.push(...world.unexpectedErrors.map((detail) => ({ kind: 'error' as const, detail })));
  return violations;
};
