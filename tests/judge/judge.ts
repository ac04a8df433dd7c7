/**
 * Decides from a recorded history whether Lanekeeper kept its promises. Pure: it knows nothing of how the history came
 * about, and serves the tests against real servers, the simulation and the demo alike.
 */
import type { RequestStatus } from '../../lib/types.ts';
import { isSettled } from '../../lib/types.ts';
import { createExcuses, type Excuses, type JudgeOptions } from './excuses.ts';
import {
  byUser,
  type Ended,
  type FinalEntry,
  type FinalState,
  type HistoryEvent,
  type RunSpan,
  type UserHistory,
} from './history.ts';

export type ViolationKind =
  /** A client saw `202`; the request is not settled, not there, a tombstone, or cancelled though nobody cancelled it. */
  | 'loss'
  /** Recorded and never settled, though no client saw a `202`. */
  | 'unsettled'
  /** A run started before every lower `seq` was settled. */
  | 'inversion'
  /** Two runs of one user at a time. */
  | 'overlap'
  /** An outcome recorded twice, or changed, or of a request that was cancelled. */
  | 'second-outcome'
  /** Settled as done or failed, and nobody ran it. */
  | 'outcome-without-run'
  /** The outcome is not that of the newest run, or its result is not. */
  | 'wrong-outcome'
  /** A further run though no attempt failed and no fault explains it. */
  | 'repeat'
  /** A run under a lower fencing token than an earlier run of the user. */
  | 'token-down'
  /** A run that never ended, and no fault killed its worker; or an end without a start. */
  | 'unpaired'
  /** A `seq` without a ledger entry. */
  | 'gap'
  /** Failed, and neither put aside nor run again; or run again more than once. */
  | 'dead-letter'
  /** One Idempotency-Key, two requests. */
  | 'same-key'
  | 'leftover-queue'
  | 'not-closed';

export type Violation = { kind: ViolationKind; userId: string; seq?: number; detail: string };

export type Verdict = {
  ok: boolean;
  violations: Violation[];
  counts: {
    users: number;
    accepted: number;
    refused: number;
    runs: number;
    /** Runs that were not a request's first. */
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

type Report = (kind: ViolationKind, seq: number | undefined, detail: string) => void;

const name = ({ start }: RunSpan): string =>
  `run of ${start.seq} (attempt ${start.attempt}, token ${start.fencingToken}, ${start.worker})`;

/**
 * Order and overlap. Returns the stale runs that a fault excuses: those under a lower fencing token than a run of the
 * same user that started before they ended. Either of the two workers may be the one that was cut off: when that one had
 * just become active, it takes its lease after the new owner took one. Never excused is a stale run that goes on behind what a
 * later owner has started: the ledger refuses that outcome to the stale one, and what it reads of it tells it to yield [R4, R7].
 */
const judgeOrder = (
  user: UserHistory,
  excuses: Excuses,
  { graceMs = 20_000 }: JudgeOptions,
  report: Report,
): Set<RunSpan> => {
  /** A worker that lost its lane and took it again knows of its own earlier run, and waits for its end. */
  const outwaited = (earlier: RunSpan, run: RunSpan): boolean =>
    earlier.start.worker !== run.start.worker || run.start.at - earlier.start.at >= graceMs;
  const stale = new Set<RunSpan>();
  const excused = (run: RunSpan, newer: RunSpan): boolean => {
    const at = Math.max(run.start.at, newer.start.at);
    const cutOff = excuses.cutOff(run.start.worker, at) || excuses.cutOff(newer.start.worker, at);
    const allowed = cutOff && run.start.fencingToken < newer.start.fencingToken;
    if (allowed) stale.add(run);
    return allowed;
  };
  let newest: RunSpan | undefined;
  let active: RunSpan[] = [];
  for (const run of user.runs) {
    const { at, seq, fencingToken } = run.start;
    active = active.filter((earlier) => (excuses.endOf(earlier) ?? Number.POSITIVE_INFINITY) > at);
    for (const earlier of active) {
      const isExcused = excused(earlier, run) || excused(run, earlier);
      if (!isExcused || !outwaited(earlier, run)) report('overlap', seq, `${name(run)} with ${name(earlier)}`);
    }
    if (newest && fencingToken < newest.start.fencingToken && (seq > newest.start.seq || !excused(run, newest))) {
      report('token-down', seq, `${name(run)} after ${name(newest)}`);
    }
    if (newest && seq < newest.start.seq && !excused(run, newest)) {
      report('inversion', seq, `${name(run)} after ${name(newest)}`);
    }
    if (!stale.has(run)) newest = run;
    active.push(run);
  }
  return stale;
};

const settlementId = ({ seq, worker, fencingToken }: { seq: number; worker: string; fencingToken: number }): string =>
  `${seq} ${worker} ${fencingToken}`;

/** Whether a person may have passed a blocked request over by `at`. */
const passedOver = ({ decided, cancelAsked, leaving }: UserHistory, seq: number, at: number): boolean =>
  [
    ...decided.filter((event) => event.seq === seq && event.decision === 'skip'),
    ...cancelAsked.filter((event) => event.seq === seq),
    ...leaving.filter(({ pending }) => pending === 'cancel'),
  ].some((event) => event.at <= at);

/** No run starts while the newest one before it has failed for now, or while its outcome is on its way to the ledger. */
const judgeSettledBefore = (user: UserHistory, stale: Set<RunSpan>, report: Report): void => {
  // Under another token it owned the lane another time, and had its predecessor's outcome from the ledger.
  const settledAt = new Map(user.settled.map((event) => [settlementId(event), event.at]));
  const cancelled = new Set(user.entries.filter(({ status }) => status === 'cancelled').map(({ seq }) => seq));
  const judgePair = ({ start: { seq: before }, end }: RunSpan, run: RunSpan): void => {
    const { seq, at } = run.start;
    const settled = settledAt.get(settlementId({ ...run.start, seq: before }));
    if (end?.outcome === 'blocked') {
      if (!passedOver(user, before, at)) report('inversion', seq, `${name(run)} overtook a blocked request`);
    } else if (cancelled.has(before)) return;
    else if (end?.outcome === 'retry') report('inversion', seq, `${name(run)} overtook a retry`);
    else if (settled !== undefined && settled > at) {
      report('inversion', seq, `${name(run)} before ${before} was settled`);
    }
  };
  let previous: RunSpan | undefined;
  for (const run of user.runs) {
    if (stale.has(run)) continue;
    if (previous && previous.start.seq < run.start.seq) judgePair(previous, run);
    previous = run;
  }
};

/**
 * Whether `earlier` was to be run again by the time of `run`: as often as a request is blocked, a person must say so. Where a
 * fault explains the next run, the worker may have gone before it could block.
 */
const wasToRunAgain = (user: UserHistory, earlier: RunSpan, run: RunSpan, excuses: Excuses): boolean => {
  const { seq, attempt } = earlier.start;
  if (earlier.end?.outcome !== 'blocked') return earlier.end?.outcome === 'retry' || earlier.end?.outcome === 'crashed';
  const own = user.runs.filter(({ start }) => start.seq === seq);
  const blocks = own.filter((block, index) => {
    const next = own[index + 1];
    return block.start.attempt <= attempt && block.end?.outcome === 'blocked' && !(next && excuses.repeat(block, next));
  });
  const retries = user.decided.filter(
    (event) => event.seq === seq && event.decision === 'retry' && event.at <= run.start.at,
  );
  return retries.length >= blocks.length;
};

/** Whether it may be cancelled though it ran: it was blocked, or given back by a worker that had to go; perhaps before it ran again. */
const leftWaiting = (runs: RunSpan[], attempts: number): boolean => {
  const newest = runs.toSorted((a, b) => a.start.attempt - b.start.attempt).at(-1);
  const outcome = newest?.end?.outcome;
  return (
    outcome === 'blocked' ||
    outcome === 'crashed' ||
    outcome === 'aborted' ||
    (newest !== undefined && newest.start.attempt < attempts)
  );
};

const judgeRepeats = (user: UserHistory, stale: Set<RunSpan>, excuses: Excuses, report: Report): void => {
  for (const [seq, runs] of Map.groupBy(user.runs, ({ start }) => start.seq)) {
    const recorded = user.accepted.find((event) => event.seq === seq)?.at ?? Number.NEGATIVE_INFINITY;
    const byAttempt = Map.groupBy(runs, ({ start }) => start.attempt);
    for (const [attempt, same] of byAttempt) {
      // A process that may have died of an earlier run counts for nothing, and the attempt begins anew.
      if (same.slice(0, -1).some(({ end }) => end?.outcome !== 'crashed')) {
        report('repeat', seq, `attempt ${attempt} ran ${same.length} times`);
      }
      for (let before = 1; before < attempt; before++) {
        const earlier = byAttempt.get(before)?.at(-1);
        const run = same[0]!;
        if (earlier && (wasToRunAgain(user, earlier, run, excuses) || stale.has(earlier))) continue;
        if (earlier ? excuses.repeat(earlier, run) : excuses.repeatOfClaim(recorded, run.start.at)) continue;
        report('repeat', seq, `attempt ${attempt} ran; attempt ${before} had not failed and no fault explains it`);
      }
    }
  }
};

const judgePairs = (user: UserHistory, excuses: Excuses, report: Report): void => {
  for (const run of user.runs) {
    if (excuses.endOf(run) === undefined) report('unpaired', run.start.seq, `${name(run)} never ended`);
  }
  for (const event of user.unpaired) report('unpaired', event.seq, `an end without a start on ${event.worker}`);
};

/** Whether a run that ended so earns a request this status. One that ends its process once too often is put aside for it. */
const earns = (
  outcome: Ended['outcome'] | undefined,
  status: RequestStatus | undefined,
  deadLetter: FinalEntry['deadLetter'],
): boolean =>
  outcome === status || (status === 'failed' && (outcome === 'crashed' || deadLetter?.reason === 'crashed'));

/** The run that decided what the ledger says is the newest one that it knows of, and ended so. */
const judgeDecidingRun = (user: UserHistory, entry: FinalEntry, runs: RunSpan[], report: Report): void => {
  const { seq, status, attempts, result, deadLetter } = entry;
  const newest = runs.findLast(({ start }) => start.attempt === attempts);
  const outcome = newest?.end?.outcome;
  const skipped = outcome === 'blocked' && user.decided.some((event) => event.seq === seq && event.decision === 'skip');
  if (!earns(outcome, status, deadLetter) && !(status === 'failed' && skipped)) {
    report(
      'wrong-outcome',
      seq,
      `${status} after ${attempts} attempts, of which the last ended ${outcome ?? 'unseen'}`,
    );
  }
  const returned = newest?.end?.result;
  if (status === 'done' && returned !== undefined && returned !== result) {
    report('wrong-outcome', seq, `its result is ${result}, its last run returned ${returned}`);
  }
  const later = runs.find(({ start }) => start.attempt > attempts);
  if (later) report('wrong-outcome', seq, `${status} after ${attempts} attempts, in spite of the ${name(later)}`);
};

const judgeOutcomes = (user: UserHistory, stale: Set<RunSpan>, report: Report): void => {
  const status = new Map<number, RequestStatus>();
  for (const entry of user.entries) {
    if (status.has(entry.seq)) report('second-outcome', entry.seq, 'two ledger entries');
    status.set(entry.seq, entry.status);
  }
  const runsOf = Map.groupBy(user.runs, ({ start }) => start.seq);
  for (const [seq, events] of Map.groupBy(user.settled, (event) => event.seq)) {
    if (events.length > 1) report('second-outcome', seq, `settled ${events.length} times`);
    for (const event of events) {
      if (status.get(seq) !== event.status) {
        report('second-outcome', seq, `settled as ${event.status}, the ledger says ${status.get(seq)}`);
      }
      const runs = runsOf.get(seq) ?? [];
      const own = runs.filter(({ start }) => settlementId(start) === settlementId(event));
      const { deadLetter } = user.entries.find((entry) => entry.seq === seq) ?? {};
      if (![...own, undefined].some((run) => earns(run?.end?.outcome, event.status, deadLetter))) {
        report('wrong-outcome', seq, `settled as ${event.status}, and no run of ${event.worker} ended so`);
      }
      const later = runs.find((run) => !stale.has(run) && run.start.at > event.at);
      if (later) report('second-outcome', seq, `${name(later)} after it was settled`);
      const newer = runs.find((run) => run.start.fencingToken > event.fencingToken);
      if (newer)
        report('second-outcome', seq, `settled under token ${event.fencingToken} in spite of the ${name(newer)}`);
    }
  }
  for (const { seq } of user.cancelled) {
    if (status.get(seq) !== 'cancelled') report('second-outcome', seq, `cancelled, the ledger says ${status.get(seq)}`);
  }
  for (const entry of user.entries) {
    const runs = runsOf.get(entry.seq) ?? [];
    const ran = entry.status === 'done' || entry.status === 'failed';
    const mayHaveRun = entry.status === 'cancelled' && leftWaiting(runs, entry.attempts);
    if (ran && runs.length === 0) report('outcome-without-run', entry.seq, `${entry.status}, and nobody ran it`);
    if (ran && runs.length > 0) judgeDecidingRun(user, entry, runs, report);
    if (!ran && isSettled(entry) && runs.length > 0 && !mayHaveRun) {
      report('second-outcome', entry.seq, `${entry.status}, and it ran`);
    }
  }
};

/**
 * Whether a disconnect may have cancelled `seq`. It is for what was there when the user's last session ended: nothing that
 * was sent after its answer, and nothing of a session that lives on.
 */
const leftBehind = ({ accepted, leaving, left }: UserHistory, seq: number): boolean => {
  const own = accepted.filter((event) => event.seq === seq);
  const sentAt = Math.min(...own.map((event) => event.sentAt ?? event.at));
  const endOf = (of: string) => left.find(({ session }) => session === of)?.at ?? Number.POSITIVE_INFINITY;
  return leaving.some(({ pending, session }) => {
    const until = endOf(session);
    const hasEnded = (of: string) => leaving.some((other) => other.session === of && other.at <= until);
    return pending === 'cancel' && sentAt <= until && own.some((event) => !event.session || hasEnded(event.session));
  });
};

const mayBeCancelled = (user: UserHistory, seq: number): boolean =>
  [...user.cancelled, ...user.cancelAsked].some((event) => event.seq === seq) || leftBehind(user, seq);

const judgeKept = (user: UserHistory, accepted: number, report: Report): void => {
  const entries = new Map(user.entries.map((entry) => [entry.seq, entry]));
  const promised = new Set(user.accepted.map((event) => event.seq));
  for (const seq of promised) {
    const entry = entries.get(seq);
    const kept = entry && isSettled(entry) && entry.status !== 'abandoned';
    if (kept && entry.status === 'cancelled' && !mayBeCancelled(user, seq)) {
      report('loss', seq, 'accepted, cancelled, and nobody cancelled it');
    }
    if (!kept) report('loss', seq, `accepted, the ledger says ${entry?.status ?? 'nothing'}`);
  }
  for (const entry of user.entries) {
    if (!isSettled(entry) && !promised.has(entry.seq)) report('unsettled', entry.seq, `left as ${entry.status}`);
  }
  const highest = Math.max(accepted, ...entries.keys());
  for (let seq = 1; seq <= highest; seq++) if (!entries.has(seq)) report('gap', seq, 'no ledger entry');
};

const judgeDeadLetters = (user: UserHistory, report: Report): void => {
  const live = user.entries.filter(({ status }) => status !== 'abandoned');
  const again = Map.groupBy(live, ({ retryOf }) => retryOf);
  for (const { seq, status, deadLetter } of live) {
    const retries = again.get(seq) ?? [];
    if (retries.length > 1) report('dead-letter', seq, `it runs again ${retries.length} times`);
    if (status === 'failed' && !deadLetter && retries.length === 0) {
      report('dead-letter', seq, 'failed, and neither put aside nor run again');
    }
  }
};

const judgeKeys = (user: UserHistory, report: Report): void => {
  const live = user.entries.filter((entry) => entry.status !== 'abandoned');
  for (const [key, uses] of Map.groupBy([...live, ...user.accepted], (use) => use.key)) {
    const seqs = new Set(uses.map((use) => use.seq));
    if (key !== undefined && seqs.size > 1) report('same-key', undefined, `${key} is ${[...seqs].join(' and ')}`);
  }
};

const judgeEnd = (final: FinalState): Violation[] => [
  ...final.leftOverQueues.map((queue) => ({
    kind: 'leftover-queue' as const,
    userId: queue,
    detail: `${queue} is left`,
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

/** Every violation of the promises that the history shows. */
export const judgeHistory = (events: HistoryEvent[], final: FinalState, options: JudgeOptions = {}): Verdict => {
  const faults = events.filter((event) => event.kind === 'fault');
  const excuses = createExcuses(faults, options);
  const users = byUser(events, final);
  const acceptedOf = new Map(final.userQueues.map(({ userId, accepted }) => [userId, accepted]));
  const violations = judgeEnd(final);
  let staleRuns = 0;
  for (const user of users) {
    const report: Report = (kind, seq, detail) => violations.push({ kind, userId: user.userId, seq, detail });
    const stale = judgeOrder(user, excuses, options, report);
    staleRuns += stale.size;
    judgeSettledBefore(user, stale, report);
    judgeRepeats(user, stale, excuses, report);
    judgePairs(user, excuses, report);
    judgeOutcomes(user, stale, report);
    judgeKept(user, acceptedOf.get(user.userId) ?? 0, report);
    judgeDeadLetters(user, report);
    judgeKeys(user, report);
  }
  return { ok: violations.length === 0, violations, counts: count(users, events, staleRuns) };
};
