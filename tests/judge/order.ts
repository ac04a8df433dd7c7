/** Guarantee 2: the requests of a user run in the order of `seq`, one at a time. */
import type { Excuses, JudgeOptions } from './excuses.ts';
import { type FinalEntry, gaveUpAs, type RunSpan, type UserHistory } from './history.ts';
import { decisionsOn, describeRun, type Report, settlementId } from './violation.ts';

/**
 * Judges order and overlap. Returns the stale runs that a fault excuses: runs under a lower fencing token than a run of
 * the same user that started before they ended. Either of the two workers may be the one that was cut off: if it had
 * just become active, it takes its lease after the new owner took one. A stale run is never excused when it goes beyond
 * what a later owner has started: the ledger refuses its outcome, and what the stale worker reads there makes it yield
 * [R4, R7].
 */
export const judgeOrder = (
  user: UserHistory,
  excuses: Excuses,
  { graceMs = 20_000 }: JudgeOptions,
  report: Report,
): Set<RunSpan> => {
  /** A worker that lost its lane and acquired it again knows its own earlier run and waits for the end of that run. */
  const hasWaited = (earlier: RunSpan, run: RunSpan): boolean =>
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
      if (!isExcused || !hasWaited(earlier, run)) {
        report('overlap', seq, `${describeRun(run)} during the ${describeRun(earlier)}`);
      }
    }
    if (newest && fencingToken < newest.start.fencingToken && (seq > newest.start.seq || !excused(run, newest))) {
      report('token-down', seq, `${describeRun(run)} after the ${describeRun(newest)}`);
    }
    if (newest && seq < newest.start.seq && !excused(run, newest)) {
      report('inversion', seq, `${describeRun(run)} after the ${describeRun(newest)}`);
    }
    if (!stale.has(run)) newest = run;
    active.push(run);
  }
  return stale;
};

/** Whether a request that waited may have been skipped or cancelled by the time `at`. */
const mayBePassedOver = (user: UserHistory, seq: number, at: number): boolean =>
  [
    ...decisionsOn(user, seq, 'skip'),
    ...user.cancelAsked.filter((event) => event.seq === seq),
    ...user.leaving.filter(({ pending }) => pending === 'cancel'),
  ].some((event) => event.at <= at);

/** No run starts while the previous one waits for a retry or a decision, or before the ledger has its outcome. */
export const judgeSettledBefore = (user: UserHistory, stale: Set<RunSpan>, report: Report): void => {
  // Under another token the worker held the lane another time and read the outcome of the predecessor from the ledger.
  const settledAt = new Map(user.settled.map((event) => [settlementId(event), event.at]));
  const cancelled = new Set(user.entries.filter(({ status }) => status === 'cancelled').map(({ seq }) => seq));
  /** Their last run may have ended in any way: its worker died before anybody learned of it, or an operator had ended it. */
  const isGivenUp = (entry: FinalEntry): boolean => ['interrupted', 'ended'].includes(gaveUpAs(entry) ?? '');
  const givenUp = new Set(user.entries.filter(isGivenUp).map(({ seq }) => seq));
  const judgePair = ({ start: { seq: before }, end }: RunSpan, run: RunSpan): void => {
    const { seq, at } = run.start;
    const settled = settledAt.get(settlementId({ ...run.start, seq: before }));
    if ((end?.outcome === 'blocked' || end?.outcome === 'retry') && !givenUp.has(before)) {
      if (mayBePassedOver(user, before, at)) return;
      const waits = end.outcome === 'blocked' ? 'is blocked' : 'waits for its next attempt';
      report('inversion', seq, `${describeRun(run)} overtook a request that ${waits}`);
    } else if (cancelled.has(before)) return;
    else if (settled !== undefined && settled > at) {
      report('inversion', seq, `${describeRun(run)} before request ${before} was settled`);
    }
  };
  let previous: RunSpan | undefined;
  for (const run of user.runs) {
    if (stale.has(run)) continue;
    if (previous && previous.start.seq < run.start.seq) judgePair(previous, run);
    previous = run;
  }
};
