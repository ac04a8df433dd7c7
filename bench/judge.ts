/** What every trial is judged by: nothing lost, nothing twice, each user in order and one at a time. */
import type { Run } from './runs.ts';

/** A job that was sent: `user`, `n`, and times of the monotonic clock in ms. */
export type Sent = { user: number; n: number; dueAt: number; calledAt: number; answeredAt: number };

/** How often each was found. */
export type Verdict = { lost: number; duplicates: number; inversions: number; overlaps: number };

/** Two jobs have an order only where one was accepted before the other was sent. */
const inversionsOf = (sent: Map<number, Sent>, runs: Run[]): number => {
  let earliestAnswer = Number.POSITIVE_INFINITY;
  let inversions = 0;
  // From the last start to the first: was a job that started later accepted before this one was sent?
  for (const { n } of runs.toReversed()) {
    const job = sent.get(n);
    if (!job) continue;
    if (earliestAnswer < job.calledAt) inversions += 1;
    earliestAnswer = Math.min(earliestAnswer, job.answeredAt);
  }
  return inversions;
};

const overlapsOf = (runs: Run[]): number => {
  let busyUntil = Number.NEGATIVE_INFINITY;
  let overlaps = 0;
  for (const { startedAt, endedAt } of runs) {
    if (startedAt < busyUntil) overlaps += 1;
    busyUntil = Math.max(busyUntil, endedAt);
  }
  return overlaps;
};

export const judge = (sent: Sent[], runs: Run[]): Verdict => {
  const verdict: Verdict = { lost: 0, duplicates: 0, inversions: 0, overlaps: 0 };
  const runsOf = Map.groupBy(runs, ({ user }) => user);
  for (const [user, jobs] of Map.groupBy(sent, ({ user }) => user)) {
    const own = (runsOf.get(user) ?? []).toSorted((a, b) => a.startedAt - b.startedAt);
    const seen = new Set<number>();
    const first = own.filter(({ n }) => !seen.has(n) && seen.add(n));
    verdict.lost += jobs.filter(({ n }) => !seen.has(n)).length;
    verdict.duplicates += own.length - first.length;
    verdict.inversions += inversionsOf(new Map(jobs.map((job) => [job.n, job])), first);
    verdict.overlaps += overlapsOf(own);
  }
  return verdict;
};

export const isClean = (verdict: Verdict): boolean => Object.values(verdict).every((count) => count === 0);
