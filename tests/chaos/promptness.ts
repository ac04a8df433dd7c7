/** How long users waited: for their next run after a fault, and, when nothing was wrong any more, at all. */
import { type Fault, faultEffects, type HistoryEvent, type Started } from '../judge/history.ts';
import type { Violation } from '../judge/violation.ts';
import type { Injected } from './faults.ts';

type OfUser = Exclude<HistoryEvent, { kind: 'fault' }>;
type AtSeq = { seq: number; at: number };

const usersOf = (events: HistoryEvent[]): Map<string, OfUser[]> =>
  Map.groupBy(
    events.filter((event): event is OfUser => event.kind !== 'fault').toSorted((a, b) => a.at - b.at),
    ({ userId }) => userId,
  );

/** The first moment of each `seq` among these kinds. */
const firsts = (events: OfUser[], ...kinds: OfUser['kind'][]): Map<number, number> => {
  const found = new Map<number, number>();
  for (const event of events) {
    if (!kinds.includes(event.kind) || !('seq' in event)) continue;
    if (!found.has(event.seq)) found.set(event.seq, event.at);
  }
  return found;
};

/**
 * When each request was over, so that nothing waited for it any more. A skip counts from when somebody asked for it, unless
 * the request ran again after that: then it was refused.
 */
const oversOf = (own: OfUser[]): Map<number, number> => {
  const lastStarts = new Map(
    own.flatMap((event) => (event.kind === 'started' ? [[event.seq, event.at] as const] : [])),
  );
  const passedOver = (event: OfUser) =>
    event.kind === 'decided' && event.decision === 'skip' && event.at > (lastStarts.get(event.seq) ?? 0);
  return firsts(
    own.filter((event) => event.kind !== 'decided' || passedOver(event)),
    'settled',
    'cancelled',
    'decided',
  );
};

/** Of a worker, or of the primary of one. */
const hits = (target: string, worker: string | undefined): boolean =>
  worker !== undefined && (worker === target || worker.startsWith(`${target}/`));

/** When what held a start up was over: a fault of a server, or of the workers that ran this user before or after it. */
const heldUntil = (faults: Fault[], workers: (string | undefined)[], startedAt: number): number =>
  Math.max(
    0,
    ...faults
      .filter(
        ({ at, fault, target }) =>
          at <= startedAt && (target ? workers.some((worker) => hits(target, worker)) : faultEffects[fault].repeats),
      )
      .map(({ at, until }) => Math.min(until ?? at, startedAt)),
  );

/** When the last request before `seq` was over; what is between them may be a tombstone, of which no history knows. */
const overBefore = (over: Map<number, number>, seq: number): number =>
  Math.max(0, ...[...over].filter(([earlier]) => earlier < seq).map(([, at]) => at));

/** When a request might run again: after its last run's end, or after its back-off, or when a person had said so. */
const againFrom = (own: OfUser[], { seq, attempt, at }: Started, retryMaxMs: number): number => {
  const ofRequest = own.filter((event) => 'seq' in event && event.seq === seq && event.at < at);
  const before = ofRequest.findLast((event) => event.kind === 'started' && event.attempt < attempt);
  const end = ofRequest.findLast((event) => event.kind === 'ended' && event.attempt < attempt);
  const decided = ofRequest.findLast((event) => event.kind === 'decided')?.at ?? 0;
  const backOffMs = end?.kind === 'ended' && end.outcome === 'retry' ? retryMaxMs : 0;
  return Math.max(before?.at ?? 0, (end?.at ?? 0) + backOffMs, decided);
};

export type LateOptions = {
  limitMs: number;
  /** The longest back-off. */
  retryMaxMs: number;
};

/** Runs that nothing held up any more, no predecessor, no fault and no back-off, and that did not start within `limitMs`. */
export const findLate = (
  events: HistoryEvent[],
  { limitMs, retryMaxMs }: LateOptions,
): (Omit<Violation, 'kind'> & { kind: 'late' })[] => {
  const faults = events.filter((event): event is Fault => event.kind === 'fault');
  return [...usersOf(events)].flatMap(([userId, own]) => {
    const starts = own.filter((event) => event.kind === 'started');
    const accepted = firsts(own, 'accepted');
    const over = oversOf(own);
    return starts.flatMap((start, index) => {
      const { seq, attempt, worker, at } = start;
      const acceptedAt = accepted.get(seq);
      if (acceptedAt === undefined) return [];
      const held = heldUntil(faults, [worker, starts[index - 1]?.worker], at);
      const again = attempt > 1 ? againFrom(own, start, retryMaxMs) : 0;
      const waitedMs = Math.round(at - Math.max(acceptedAt, overBefore(over, seq), held, again));
      if (waitedMs <= limitMs) return [];
      return [{ kind: 'late' as const, userId, seq, detail: `started ${waitedMs} ms after nothing held it up` }];
    });
  });
};

/** The requests that waited at `from`; for a fault of some workers, only of a user that one of them ran when it came. */
const pendingAt = (own: OfUser[], over: Map<number, number>, from: number, { at, target }: Injected): Set<number> => {
  const newest = own.findLast((event) => event.kind === 'started' && event.at <= at);
  const isHit = !target || target.startsWith('api') || (newest?.kind === 'started' && hits(target, newest.worker));
  const pending = own.filter(
    (event) =>
      event.kind === 'accepted' && event.at <= from && (over.get(event.seq) ?? Number.POSITIVE_INFINITY) > from,
  );
  return new Set(isHit ? pending.map((event) => (event as AtSeq).seq) : []);
};

/** Of one that ended for good nothing is heard again when its worker died before it knew that the ledger had it. */
const hasEnded = (own: OfUser[], seq: number): boolean => {
  const newest = own.findLast((event) => (event.kind === 'started' || event.kind === 'ended') && event.seq === seq);
  return newest?.kind === 'ended' && (newest.outcome === 'done' || newest.outcome === 'failed');
};

/** Its user asked for it, or left and cancelled what waited, whenever that was carried out. */
const mayBeCancelled = (own: OfUser[], seq: number): boolean => {
  const accepted = own.find((event) => event.kind === 'accepted' && event.seq === seq);
  const sentAt = (accepted?.kind === 'accepted' && accepted.sentAt) || accepted?.at || 0;
  return own.some(
    (event) =>
      (event.kind === 'cancel-asked' && event.seq === seq) ||
      (event.kind === 'leaving' && event.pending === 'cancel' && event.at >= sentAt),
  );
};

/**
 * When one of them started next: never, where nothing of them was heard of again; `undefined` where all that waited was over
 * without another start.
 */
const nextStart = (
  own: OfUser[],
  over: Map<number, number>,
  pending: Set<number>,
  after: number,
): number | undefined => {
  const next = own.find((event) => event.kind === 'started' && event.at > after && pending.has(event.seq));
  if (next) return next.at;
  const nothingWaited = [...pending].every((seq) => over.has(seq) || hasEnded(own, seq) || mayBeCancelled(own, seq));
  return nothingWaited ? undefined : Number.POSITIVE_INFINITY;
};

/**
 * Of one fault: how long its worst user waited for its next start, from the fault's beginning and from its end. Of an outage,
 * which hits everybody and lets nobody start, whoever waits at its end is looked at.
 */
export type Recovery = { fault: string; users: number; fromStartMs: number; fromEndMs: number };

export const recoveriesOf = (events: HistoryEvent[], injected: Injected[]): Recovery[] => {
  const users = [...usersOf(events).values()].map((own) => ({ own, over: oversOf(own) }));
  return injected.flatMap((fault) => {
    const from = fault.target ? fault.at : fault.until;
    const nextStarts = users
      .map(({ own, over }) => nextStart(own, over, pendingAt(own, over, from, fault), from))
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

/** One line a kind of fault, as text: how many, how many users they hit, and the waits of each fault's worst user. */
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
  const head = ['fault', 'times', 'users hit', 'median', 'worst', 'after its end: median', 'worst'];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))))
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
};
