/** Guarantee 3, first half: a request runs again only when it failed or when a fault explains it. */
import type { Excuses } from './excuses.ts';
import type { RunSpan, UserHistory } from './history.ts';
import { decisionsOn, describeRun, type Report } from './violation.ts';

/**
 * Whether `earlier` had to run again by the time of `run`. A blocked request needs one retry decision each time it was
 * blocked. Where a fault explains the next run, the worker may have gone before it could block the request.
 */
const hadToRunAgain = (user: UserHistory, earlier: RunSpan, run: RunSpan, excuses: Excuses): boolean => {
  const { seq, attempt } = earlier.start;
  if (earlier.end?.outcome !== 'blocked') return earlier.end?.outcome === 'retry' || earlier.end?.outcome === 'crashed';
  const own = user.runs.filter(({ start }) => start.seq === seq);
  const blocks = own.filter((block, index) => {
    const next = own[index + 1];
    return block.start.attempt <= attempt && block.end?.outcome === 'blocked' && !(next && excuses.repeat(block, next));
  });
  const retries = decisionsOn(user, seq, 'retry').filter((event) => event.at <= run.start.at);
  return retries.length >= blocks.length;
};

/** Whether the request must not run again after an interruption, unless a person has decided otherwise. */
const isOnce = (user: UserHistory, seq: number, run: RunSpan): boolean =>
  user.accepted.some((event) => event.seq === seq && event.once) &&
  !decisionsOn(user, seq, 'retry').some((event) => event.at <= run.start.at);

export const judgeRepeats = (user: UserHistory, stale: Set<RunSpan>, excuses: Excuses, report: Report): void => {
  for (const [seq, runs] of Map.groupBy(user.runs, ({ start }) => start.seq)) {
    const recordedAt = user.accepted.find((event) => event.seq === seq)?.at ?? Number.NEGATIVE_INFINITY;
    const byAttempt = Map.groupBy(runs, ({ start }) => start.attempt);
    for (const [attempt, same] of byAttempt) {
      // A crash that another run may have caused does not count, and the attempt starts again under the same number.
      if (same.slice(0, -1).some(({ end }) => end?.outcome !== 'crashed' && end?.outcome !== 'taken-along')) {
        report('repeat', seq, `attempt ${attempt} ran ${same.length} times`);
      }
      for (let before = 1; before < attempt; before++) {
        const earlier = byAttempt.get(before)?.at(-1);
        const run = same[0]!;
        if (earlier && hadToRunAgain(user, earlier, run, excuses)) continue;
        if (earlier && isOnce(user, seq, run)) {
          report(
            'repeat',
            seq,
            `attempt ${attempt} ran, but attempt ${before} was interrupted and must not be repeated`,
          );
          continue;
        }
        if (earlier && stale.has(earlier)) continue;
        if (earlier ? excuses.repeat(earlier, run) : excuses.repeatOfClaim(recordedAt, run.start.at)) continue;
        report('repeat', seq, `attempt ${attempt} ran, but attempt ${before} had not failed and no fault explains it`);
      }
    }
  }
};

/** Every run has a start and an end. Only a fault that kills its worker excuses a missing end. */
export const judgePairs = (user: UserHistory, excuses: Excuses, report: Report): void => {
  for (const run of user.runs) {
    if (excuses.endOf(run) === undefined) report('unpaired', run.start.seq, `${describeRun(run)} never ended`);
  }
  for (const event of user.unpaired) report('unpaired', event.seq, `an end without a start on ${event.worker}`);
};
