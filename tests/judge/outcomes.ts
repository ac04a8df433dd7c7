/** Guarantee 3, second half: the outcome of the newest run is recorded once and never changes. */
import { type DeadLetterReason, isSettled, type RequestStatus } from '../../lib/types.ts';
import type { Excuses } from './excuses.ts';
import { type Ended, type FinalEntry, gaveUpAs, type RunSpan, type Settled, type UserHistory } from './history.ts';
import { decisionsOn, describeRun, type Report, settlementId } from './violation.ts';

/**
 * Whether a run with this outcome may give its request this status. A request that crashes too often, that was interrupted and must
 * not run twice, or whose run an operator ended, fails as a dead letter.
 */
const leadsTo = (
  outcome: Ended['outcome'] | undefined,
  status: RequestStatus | undefined,
  reason: DeadLetterReason | undefined,
): boolean =>
  outcome === status ||
  (status === 'failed' && (outcome === 'crashed' || ['crashed', 'interrupted', 'ended'].includes(reason ?? '')));

/** The outcome in the ledger is that of the newest run that the ledger knows of. */
const judgeDecidingRun = (user: UserHistory, entry: FinalEntry, runs: RunSpan[], report: Report): void => {
  const { seq, status, attempts, result } = entry;
  const newest = runs.findLast(({ start }) => start.attempt === attempts);
  const outcome = newest?.end?.outcome;
  // After a crash the request waits for its next attempt, as after any other failure.
  const mayBeSkipped = outcome === 'blocked' || outcome === 'retry' || outcome === 'crashed';
  const skipped = mayBeSkipped && decisionsOn(user, seq, 'skip').length > 0;
  if (!leadsTo(outcome, status, gaveUpAs(entry)) && !(status === 'failed' && skipped)) {
    const end = outcome ? `ended as ${outcome}` : 'has no recorded end';
    report('wrong-outcome', seq, `${status} after ${attempts} attempts, but the last one ${end}`);
  }
  const returned = newest?.end?.result;
  if (status === 'done' && returned !== undefined && returned !== result) {
    report('wrong-outcome', seq, `the ledger has the result ${result}, but the last run returned ${returned}`);
  }
  const later = runs.find(({ start }) => start.attempt > attempts);
  if (later)
    report('wrong-outcome', seq, `${status} after ${attempts} attempts, in spite of the ${describeRun(later)}`);
};

const judgeSettlement = (
  event: Settled,
  entry: FinalEntry | undefined,
  runs: RunSpan[],
  stale: Set<RunSpan>,
  report: Report,
): void => {
  const { seq, status, worker, fencingToken } = event;
  if (entry?.status !== status) report('second-outcome', seq, `settled as ${status}, the ledger has ${entry?.status}`);
  const own = runs.filter(({ start }) => settlementId(start) === settlementId(event));
  if (![...own, undefined].some((run) => leadsTo(run?.end?.outcome, status, entry && gaveUpAs(entry)))) {
    report('wrong-outcome', seq, `settled as ${status}, but no run of ${worker} ended like that`);
  }
  const later = runs.find((run) => !stale.has(run) && run.start.at > event.at);
  if (later) report('second-outcome', seq, `${describeRun(later)} after the request was settled`);
  const newer = runs.find((run) => run.start.fencingToken > fencingToken);
  if (newer) {
    report('second-outcome', seq, `settled under token ${fencingToken} in spite of the ${describeRun(newer)}`);
  }
};

/**
 * Whether a cancelled request may have run before: it was blocked, it waited for its next attempt, or its worker gave it
 * back, perhaps before it ran again. An interrupted request is queued again when it has to wait, and then the end of the
 * user's last session may cancel it.
 */
const mayHaveRun = ({ leaving }: UserHistory, runs: RunSpan[], attempts: number, excuses: Excuses): boolean => {
  const newest = runs.toSorted((a, b) => a.start.attempt - b.start.attempt).at(-1);
  if (!newest) return false;
  const outcome = newest.end?.outcome;
  return (
    outcome === 'blocked' ||
    outcome === 'retry' ||
    outcome === 'crashed' ||
    outcome === 'aborted' ||
    newest.start.attempt < attempts ||
    (leaving.some(({ pending }) => pending === 'cancel') && excuses.interruption(newest))
  );
};

const judgeEntry = (user: UserHistory, entry: FinalEntry, runs: RunSpan[], excuses: Excuses, report: Report): void => {
  const { seq, status, attempts } = entry;
  if (entry.deadLetter?.reason === 'interrupted') {
    const accepted = user.accepted.filter((event) => event.seq === seq);
    // A client that got no answer has not said which kind it sent.
    if (accepted.length > 0 && !accepted.some(({ once }) => once))
      report('wrong-outcome', seq, 'dead-lettered as interrupted, but it may run again');
    return;
  }
  // A request that was only beside others when they ended their worker or their process is innocent.
  if (entry.deadLetter?.reason === 'crashed' && !runs.some(({ end }) => end?.outcome === 'crashed'))
    report('wrong-outcome', seq, 'dead-lettered as crashed, but none of its runs ended its process');
  const needsRun = status === 'done' || status === 'failed';
  // Its worker may have died between the claim and the run.
  const mayLackRun = gaveUpAs(entry) === 'ended';
  if (needsRun && runs.length === 0 && !mayLackRun) report('outcome-without-run', seq, `${status}, but it never ran`);
  if (needsRun && runs.length > 0) judgeDecidingRun(user, entry, runs, report);
  if (needsRun || !isSettled(entry) || runs.length === 0) return;
  if (status === 'cancelled' && mayHaveRun(user, runs, attempts, excuses)) return;
  report('second-outcome', seq, `${status}, but it ran`);
};

export const judgeOutcomes = (user: UserHistory, stale: Set<RunSpan>, excuses: Excuses, report: Report): void => {
  const entries = new Map<number, FinalEntry>();
  for (const entry of user.entries) {
    if (entries.has(entry.seq)) report('second-outcome', entry.seq, 'two ledger entries');
    entries.set(entry.seq, entry);
  }
  const runsOf = Map.groupBy(user.runs, ({ start }) => start.seq);
  for (const [seq, events] of Map.groupBy(user.settled, (event) => event.seq)) {
    if (events.length > 1) report('second-outcome', seq, `settled ${events.length} times`);
    for (const event of events) judgeSettlement(event, entries.get(seq), runsOf.get(seq) ?? [], stale, report);
  }
  for (const { seq } of user.cancelled) {
    const status = entries.get(seq)?.status;
    if (status !== 'cancelled') report('second-outcome', seq, `cancelled, the ledger has ${status}`);
  }
  for (const entry of user.entries) judgeEntry(user, entry, runsOf.get(entry.seq) ?? [], excuses, report);
};
