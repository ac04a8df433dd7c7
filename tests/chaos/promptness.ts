/** How long users waited: for their next run after a fault, and, when nothing was wrong any more, at all. */
import { type Fault, faultEffects, type HistoryEvent } from '../judge/history.ts';
import type { Violation } from '../judge/judge.ts';
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

/** Requests that were accepted, whose predecessors were settled, that no fault held up, and that did not start within `limitMs`. */
export const findLate = (events: HistoryEvent[], limitMs: number): (Omit<Violation, 'kind'> & { kind: 'late' })[] => {
  const faults = events.filter((event): event is Fault => event.kind === 'fault');
  return [...usersOf(events)].flatMap(([userId, own]) => {
    const starts = own.filter((event) => event.kind === 'started');
    const accepted = firsts(own, 'accepted');
    const over = firsts(own, 'settled', 'cancelled');
    return starts.flatMap(({ seq, attempt, worker, at }, index) => {
      const acceptedAt = accepted.get(seq);
      if (acceptedAt === undefined || attempt > 1) return [];
      const held = heldUntil(faults, [worker, starts[index - 1]?.worker], at);
      const waitedMs = Math.round(at - Math.max(acceptedAt, overBefore(over, seq), held));
      if (waitedMs <= limitMs) return [];
      return [{ kind: 'late' as const, userId, seq, detail: `started ${waitedMs} ms after nothing held it up` }];
    });
  });
};

/** The requests that waited at `at`; for a fault of some workers, only of a user that one of them ran. */
const pendingAt = (own: OfUser[], over: Map<number, number>, { at, target }: Injected): Set<number> => {
  const newest = own.findLast((event) => event.kind === 'started' && event.at <= at);
  const isHit = !target || target.startsWith('api') || (newest?.kind === 'started' && hits(target, newest.worker));
  const pending = own.filter(
    (event) => event.kind === 'accepted' && event.at <= at && (over.get(event.seq) ?? Number.POSITIVE_INFINITY) > at,
  );
  return new Set(isHit ? pending.map((event) => (event as AtSeq).seq) : []);
};

/** When one of them started next: not at all, where what waited was settled without. */
const nextStart = (own: OfUser[], pending: Set<number>, after: number): number | undefined =>
  own.find((event) => event.kind === 'started' && event.at > after && pending.has(event.seq))?.at;

/** Of one fault: how long its worst user waited for its next start, from the fault's beginning and from its end. */
export type Recovery = { fault: string; users: number; fromStartMs: number; fromEndMs: number };

export const recoveriesOf = (events: HistoryEvent[], injected: Injected[]): Recovery[] => {
  const users = [...usersOf(events).values()].map((own) => ({ own, over: firsts(own, 'settled', 'cancelled') }));
  return injected.flatMap((fault) => {
    const nextStarts = users
      .map(({ own, over }) => nextStart(own, pendingAt(own, over, fault), fault.at))
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
