/** How long users waited: for their next run after a fault, and for any run that nothing held up. */
import { type Fault, type FaultKind, faultEffects, type HistoryEvent, type Started } from '../judge/history.ts';
import type { Violation } from '../judge/violation.ts';
import type { Injected } from './faults.ts';

type UserEvent = Exclude<HistoryEvent, { kind: 'fault' }>;
type AtSeq = { seq: number; at: number };

const usersOf = (events: HistoryEvent[]): Map<string, UserEvent[]> =>
  Map.groupBy(
    events.filter((event): event is UserEvent => event.kind !== 'fault').toSorted((a, b) => a.at - b.at),
    ({ userId }) => userId,
  );

/** When each `seq` first had an event of one of these kinds. */
const firsts = (events: UserEvent[], ...kinds: UserEvent['kind'][]): Map<number, number> => {
  const found = new Map<number, number>();
  for (const event of events) {
    if (!kinds.includes(event.kind) || !('seq' in event)) continue;
    if (!found.has(event.seq)) found.set(event.seq, event.at);
  }
  return found;
};

/**
 * When each request was finished, so that nothing waited for it any more. A skip counts from when it was asked for,
 * unless the request ran again after that: then the skip was refused.
 */
const finishTimes = (own: UserEvent[]): Map<number, number> => {
  const lastStarts = new Map(
    own.flatMap((event) => (event.kind === 'started' ? [[event.seq, event.at] as const] : [])),
  );
  const isSkip = (event: UserEvent) =>
    event.kind === 'decided' && event.decision === 'skip' && event.at > (lastStarts.get(event.seq) ?? 0);
  return firsts(
    own.filter((event) => event.kind !== 'decided' || isSkip(event)),
    'settled',
    'cancelled',
    'decided',
  );
};

/** Whether a fault with this target hits this worker. The target is a worker or a primary. */
const hits = (target: string, worker: string | undefined): boolean =>
  worker !== undefined && (worker === target || worker.startsWith(`${target}/`));

/**
 * These concern some users at most, those whose runs are cut short or go on. Everybody else is served as if nothing had
 * happened.
 */
const holdUpNobody: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'worker-stopped',
  'worker-joined',
  'lane-handed-over',
  'runs-hung',
  'user-queue-refused',
  'queues-limited',
  'permission-withdrawn',
  'large-requests',
  'login-storm',
  'clients-hung-up',
]);

/** The worker that ran a user before, and the one that runs it now. */
type Neighbors = { previous: Started | undefined; start: Started };

/** Whether a worker in between claimed the request, and its run did not begin. No event says which worker it was. */
const wasClaimedBetween = ({ previous, start: { seq, attempt } }: Neighbors): boolean =>
  attempt > (previous?.seq === seq ? previous.attempt : 0) + 1;

/** Whether a fault may hold up a user: a fault of a server, or of a worker that ran it before or after the fault. */
const mayHoldUp = ({ fault, target }: Fault, neighbors: Neighbors): boolean => {
  if (holdUpNobody.has(fault)) return false;
  if (!target || wasClaimedBetween(neighbors)) return faultEffects[fault].repeats;
  return hits(target, neighbors.start.worker) || hits(target, neighbors.previous?.worker);
};

/** These hold users up when they begin and when they end, and not in between: the other nodes go on. */
const ofNode: ReadonlySet<FaultKind> = new Set<FaultKind>(['node-killed', 'node-frozen', 'node-cut-off']);

/** When the last of these faults was over, at the latest at `startedAt`. */
const heldUpUntil = (faults: Fault[], startedAt: number): number =>
  Math.max(
    0,
    ...faults.map(({ fault, at, until = at }) => {
      const isGoingOn = until > startedAt;
      return ofNode.has(fault) && isGoingOn ? at : Math.min(until, startedAt);
    }),
  );

/**
 * When the last request before `seq` was finished. Between the two may be tombstones, which the history does not
 * mention.
 */
const finishedBefore = (finished: Map<number, number>, seq: number): number =>
  Math.max(0, ...[...finished].filter(([earlier]) => earlier < seq).map(([, at]) => at));

/** When a request may run again: after the end of its last run, after its back-off, or after a person's decision. */
const mayRunAgainFrom = (own: UserEvent[], { seq, attempt, at }: Started, retryMaxMs: number): number => {
  const ofRequest = own.filter((event) => 'seq' in event && event.seq === seq && event.at < at);
  const before = ofRequest.findLast((event) => event.kind === 'started' && event.attempt < attempt);
  const end = ofRequest.findLast((event) => event.kind === 'ended' && event.attempt < attempt);
  const decided = ofRequest.findLast((event) => event.kind === 'decided')?.at ?? 0;
  const backOffMs = end?.kind === 'ended' && end.outcome === 'retry' ? retryMaxMs : 0;
  return Math.max(before?.at ?? 0, (end?.at ?? 0) + backOffMs, decided);
};

/** Whether the last run of the request was cut short, with its worker or by it. */
const wasInterrupted = (own: UserEvent[], { seq, attempt }: Started): boolean => {
  if (attempt === 1) return false;
  const end = own.find((event) => event.kind === 'ended' && event.seq === seq && event.attempt === attempt - 1);
  return end?.kind !== 'ended' || end.outcome === 'aborted' || end.outcome === 'taken-along';
};

export type LateOptions = {
  limitMs: number;
  /** The limit while nothing is wrong that may hold the user up. Default: `limitMs`. */
  calmLimitMs?: number;
  /** The longest back-off, in ms. */
  retryMaxMs: number;
};

/**
 * Finds runs that started more than `limitMs` after the last predecessor, fault and back-off that held them up. The
 * recovery from a fault may take as long. At other times the limit is `calmLimitMs`.
 */
export const findLate = (
  events: HistoryEvent[],
  { limitMs, calmLimitMs = limitMs, retryMaxMs }: LateOptions,
): (Omit<Violation, 'kind'> & { kind: 'late' })[] => {
  const faults = events.filter((event): event is Fault => event.kind === 'fault');
  // A call to an API process that is killed or cut off may have taken effect, although its client has no answer yet.
  const ofFunctions = faults.filter(({ fault }) => fault === 'function-killed' || fault === 'function-cut-off');
  return [...usersOf(events)].flatMap(([userId, own]) => {
    const starts = own.filter((event) => event.kind === 'started');
    const accepted = firsts(own, 'accepted');
    const finished = finishTimes(own);
    return starts.flatMap((start, index) => {
      const { seq, attempt, at } = start;
      const acceptedAt = accepted.get(seq);
      if (acceptedAt === undefined) return [];
      const neighbors = { previous: starts[index - 1], start };
      const before = faults.filter((fault) => fault.at <= at && mayHoldUp(fault, neighbors));
      const again = attempt > 1 ? mayRunAgainFrom(own, start, retryMaxMs) : 0;
      const from = Math.max(acceptedAt, finishedBefore(finished, seq), heldUpUntil(before, at), again);
      const isCalm =
        !wasInterrupted(own, start) &&
        ![...before, ...ofFunctions].some((fault) => fault.at <= at && (fault.until ?? fault.at) + limitMs >= from);
      const waitedMs = Math.round(at - from);
      if (waitedMs <= (isCalm ? calmLimitMs : limitMs)) return [];
      return [
        { kind: 'late' as const, userId, seq, detail: `started ${waitedMs} ms after nothing held it up any more` },
      ];
    });
  });
};

/**
 * The requests that were pending at `from`. For a fault that hit a worker: none, unless that worker ran the user's newest
 * request.
 */
const pendingAt = (
  own: UserEvent[],
  finished: Map<number, number>,
  from: number,
  { at, target }: Injected,
): Set<number> => {
  const newest = own.findLast((event) => event.kind === 'started' && event.at <= at);
  const isHit = !target || /^(api|node)/.test(target) || (newest?.kind === 'started' && hits(target, newest.worker));
  const pending = own.filter(
    (event) =>
      event.kind === 'accepted' && event.at <= from && (finished.get(event.seq) ?? Number.POSITIVE_INFINITY) > from,
  );
  return new Set(isHit ? pending.map((event) => (event as AtSeq).seq) : []);
};

/** A request whose last run ended may have no further event: its worker died after the ledger had the outcome. */
const hasEnded = (own: UserEvent[], seq: number): boolean => {
  const newest = own.findLast((event) => (event.kind === 'started' || event.kind === 'ended') && event.seq === seq);
  return newest?.kind === 'ended' && (newest.outcome === 'done' || newest.outcome === 'failed');
};

/**
 * Whether the user asked to cancel the request or disconnected with a cancel. The effect may come at any later time.
 */
const mayBeCancelled = (own: UserEvent[], seq: number): boolean => {
  const accepted = own.find((event) => event.kind === 'accepted' && event.seq === seq);
  const sentAt = (accepted?.kind === 'accepted' && accepted.sentAt) || accepted?.at || 0;
  return own.some(
    (event) =>
      (event.kind === 'cancel-asked' && event.seq === seq) ||
      (event.kind === 'leaving' && event.pending === 'cancel' && event.at >= sentAt),
  );
};

/**
 * When one of the pending requests started next. Infinity: never, and at least one of them is not finished.
 * `undefined`: all of them were finished without another start.
 */
const nextStart = (
  own: UserEvent[],
  finished: Map<number, number>,
  pending: Set<number>,
  after: number,
): number | undefined => {
  const next = own.find((event) => event.kind === 'started' && event.at > after && pending.has(event.seq));
  if (next) return next.at;
  const isFinished = (seq: number): boolean => finished.has(seq) || hasEnded(own, seq) || mayBeCancelled(own, seq);
  return [...pending].every(isFinished) ? undefined : Number.POSITIVE_INFINITY;
};

/**
 * The recovery from one fault: how long its worst user waited for the next start, from the start and from the end of
 * the fault. An outage hits all users and prevents every start, so its users are those with pending requests at its
 * end.
 */
export type Recovery = { fault: string; users: number; fromStartMs: number; fromEndMs: number };

export const recoveriesOf = (events: HistoryEvent[], injected: Injected[]): Recovery[] => {
  const users = [...usersOf(events).values()].map((own) => ({ own, finished: finishTimes(own) }));
  return injected.flatMap((fault) => {
    const from = fault.target ? fault.at : fault.until;
    const nextStarts = users
      .map(({ own, finished }) => nextStart(own, finished, pendingAt(own, finished, from, fault), from))
      .filter((at) => at !== undefined);
    if (nextStarts.length === 0) return [];
    const last = Math.max(...nextStarts);
    return [
      {
        fault: fault.fault,
        users: nextStarts.length,
        fromStartMs: Math.round(last - fault.at),
        fromEndMs: Math.max(0, Math.round(last - fault.until)),
      },
    ];
  });
};

const median = (sorted: number[]): number => sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;

/**
 * A table with a line for each kind of fault: how many there were, how many users they hit, and how long the worst
 * users waited.
 */
export const recoveryTable = (recoveries: Recovery[], counts: Map<string, number>): string => {
  const rows = [...counts].sort().map(([fault, count]) => {
    const own = recoveries.filter((recovery) => recovery.fault === fault);
    const summary = (field: 'fromStartMs' | 'fromEndMs') => {
      const sorted = own.map((recovery) => recovery[field]).sort((a, b) => a - b);
      return sorted.length === 0 ? ['-', '-'] : [String(median(sorted)), String(sorted.at(-1))];
    };
    const users = own.reduce((sum, recovery) => sum + recovery.users, 0);
    return [fault, String(count), String(users), ...summary('fromStartMs'), ...summary('fromEndMs')];
  });
  const head = ['fault', 'count', 'users hit', 'from start: median', 'max', 'from end: median', 'max'];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))))
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
};
