/** How long the requests of users waited, and how much longer than in a run in which nothing happened. */
import { byUser, faultEffects, type HistoryEvent, type RunSpan, type UserHistory } from '../judge/history.ts';

/** Whose requests count, and when they were sent. */
export type Counted = { userIds: ReadonlySet<string>; from: number; until: number };

const unread = { ledger: [], userQueues: [], leftOverQueues: [] };

/** A run without an end ended with its worker. If no fault killed that, all of its time counts as waiting. */
const endOf = ({ start, end }: RunSpan, killedAt: ReadonlyMap<string, number>): number =>
  end?.at ?? Math.max(start.at, killedAt.get(start.worker) ?? start.at);

const killTimes = (events: HistoryEvent[]): Map<string, number> =>
  new Map(
    events.flatMap((event) =>
      event.kind === 'fault' && event.target && faultEffects[event.fault].kills
        ? [[event.target, event.at] as const]
        : [],
    ),
  );

/**
 * How long this request could have run and did not, in ms: before its first run, and between two runs when the first of them was
 * interrupted. It could run when it had been sent and its user's run before it had ended. Infinity: it never started.
 */
const waitOf = (history: UserHistory, seq: number, sentAt: number, killedAt: ReadonlyMap<string, number>): number => {
  const own = history.runs.filter(({ start }) => start.seq === seq);
  if (own.length === 0) return Number.POSITIVE_INFINITY;
  const before = history.runs.filter(({ start }) => start.seq < seq).map((run) => endOf(run, killedAt));
  let readyAt = Math.max(sentAt, ...before);
  let waitedMs = 0;
  for (const run of own) {
    waitedMs += Math.max(0, run.start.at - readyAt);
    readyAt = endOf(run, killedAt);
  }
  return waitedMs;
};

/** The waits of all counted requests, the shortest first. */
export const waitsOf = (events: HistoryEvent[], { userIds, from, until }: Counted): number[] => {
  const killedAt = killTimes(events);
  return byUser(events, unread)
    .filter(({ userId }) => userIds.has(userId))
    .flatMap((history) =>
      history.accepted
        .map(({ seq, at, sentAt = at }) => ({ seq, sentAt }))
        .filter(({ sentAt }) => sentAt >= from && sentAt < until)
        .map(({ seq, sentAt }) => waitOf(history, seq, sentAt, killedAt)),
    )
    .sort((a, b) => a - b);
};

export type Waits = { requests: number; p99Ms: number; worstMs: number };

/** @param sorted the shortest first. */
export const summarize = (sorted: number[]): Waits => ({
  requests: sorted.length,
  p99Ms: Math.round(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0),
  worstMs: Math.round(sorted.at(-1) ?? 0),
});

/** `happened`: how many users or requests the situation hit, so that a situation that did not come about is no success. */
export type Compared = { control: Waits; disturbed: Waits; limitMs: number; happened: number };

/** Fewer requests say little about the worst one. */
const minRequests = 500;

/** Describes each unmet condition in words. */
export const shortfallsOf = ({ control, disturbed, limitMs, happened }: Compared): string[] => {
  const fewest = Math.min(control.requests, disturbed.requests);
  const shortfalls = [
    happened === 0 && 'it did not happen',
    fewest < minRequests && `fewer than ${minRequests} requests`,
    disturbed.worstMs === Number.POSITIVE_INFINITY && 'a request never started',
    disturbed.worstMs - control.worstMs > limitMs && 'too late',
  ];
  return shortfalls.filter((shortfall) => shortfall !== false);
};
