/** The state of everything on one page: what is wrong first. Its cost does not grow with the users: heartbeats and sweeps have counted. */
import type { Deps, FunctionDeps } from '../deps.ts';
import { createKept } from '../kept.ts';
import { oldestWaitMs } from '../lanes/backlog.ts';
import { onceFor } from '../once-for.ts';
import type { Heartbeat, Minute, WorkerStore } from '../ports.ts';
import { waitPercentile } from '../wait-buckets.ts';
import { currentHeartbeats } from './heartbeats.ts';
import { findProblems, type Problem } from './problems.ts';
import { ageOf, isCurrent, ownerOf } from './verdict.ts';

/** Percentiles of the wait from accepted to started, of first attempts, in ms. Absent where nothing started. */
export type Waits = { p50?: number; p95?: number; p99?: number };

export type Overview = {
  at: Date;
  problems: Problem[];
  /** `busy`: users with pending work. `owner`: a worker's id. */
  lanes: { lane: number; owner?: string; busy: number }[];
  workers: {
    workerId: string;
    state: 'serving' | 'away' | 'silent' | 'gone';
    lanes: number;
    busy: number;
    unresponsive: number;
    heardMsAgo: number;
  }[];
  /** As one worker last counted, `countedMsAgo`. */
  pending: { requests: number; users: number; stuckUsers: number; deadLetters: number; countedMsAgo?: number };
  /** How long the oldest request has waited that only lacks a slot. */
  oldestWaitMs: number;
  lastHour: Waits & { started: number; done: number; failed: number };
  /** The minutes of the last hour in which anything happened. */
  minutes: (Waits & { at: Date; started: number; done: number; failed: number })[];
  /** The console has the page "Try it": during development alone. */
  tryIt?: true;
};

type OverviewDeps = Pick<Deps, 'workers' | 'clock'> &
  Pick<FunctionDeps, 'health'> & { config: Pick<Deps['config'], 'lanes'> & { tryItPort?: number | undefined } };

const hourMs = 3_600_000;
/** However many look. */
const freshMs = 1_000;

const percentilesOf = (waits: number[]): Waits => ({
  p50: waitPercentile(waits, 0.5),
  p95: waitPercentile(waits, 0.95),
  p99: waitPercentile(waits, 0.99),
});

const minuteOf = ({ at, counts: { waits, ...counts } }: Minute) => ({ at, ...counts, ...percentilesOf(waits) });

const sumOf = (minutes: Minute[]): Overview['lastHour'] => {
  const sum = (name: 'started' | 'done' | 'failed') => minutes.reduce((total, { counts }) => total + counts[name], 0);
  const waits = minutes.reduce<number[]>(
    (total, { counts }) => counts.waits.map((count, bucket) => count + (total[bucket] ?? 0)),
    [],
  );
  return { started: sum('started'), done: sum('done'), failed: sum('failed'), ...percentilesOf(waits) };
};

const stateOf = (heartbeat: Heartbeat, now: Date): Overview['workers'][number]['state'] => {
  if (heartbeat.gone) return 'gone';
  if (!isCurrent(heartbeat, now)) return 'silent';
  return heartbeat.away ? 'away' : 'serving';
};

/** A lane beyond `count` has an owner while its users are not moved yet, after `LANES` was lowered. */
export const lanesOf = (heartbeats: Heartbeat[], count: number, now: Date): Overview['lanes'] => {
  const highest = Math.max(count - 1, ...heartbeats.filter((one) => isCurrent(one, now)).flatMap(({ lanes }) => lanes));
  return Array.from({ length: highest + 1 }, (_, lane) => {
    const owner = ownerOf(lane, heartbeats, now);
    if (!owner || !isCurrent(owner, now)) return { lane, busy: 0 };
    return { lane, owner: owner.workerId, busy: owner.busy?.[owner.lanes.indexOf(lane)] ?? 0 };
  });
};

const pendingOf = (heartbeats: Heartbeat[], now: Date): Overview['pending'] => {
  const told = heartbeats.flatMap(({ statistics }) => statistics ?? []);
  const [newest] = told.sort((one, other) => other.at.getTime() - one.at.getTime());
  const { pendingRequests = 0, pendingUsers = 0, stuckUsers = 0, deadLetters = 0 } = newest ?? {};
  const countedMsAgo = newest && Math.max(0, now.getTime() - newest.at.getTime());
  return { requests: pendingRequests, users: pendingUsers, stuckUsers, deadLetters, countedMsAgo };
};

const look = async (deps: OverviewDeps): Promise<Overview> => {
  const { workers, clock, config, health } = deps;
  const now = clock.now();
  const [heartbeats, minutes, servers] = await Promise.all([
    currentHeartbeats(deps),
    workers.minutes(new Date(now.getTime() - hourMs)),
    health(),
  ]);
  const lanes = lanesOf(heartbeats, config.lanes, now);
  const pending = pendingOf(heartbeats, now);
  const demands = heartbeats.filter((one) => isCurrent(one, now)).flatMap(({ demand }) => demand ?? []);
  return {
    at: now,
    problems: findProblems({ heartbeats, lanes, pending, servers, now }),
    lanes,
    workers: heartbeats.map((one) => ({
      workerId: one.workerId,
      state: stateOf(one, now),
      lanes: one.lanes.length,
      busy: (one.busy ?? []).reduce((sum, count) => sum + count, 0),
      unresponsive: one.unresponsive.length,
      heardMsAgo: Math.max(0, ageOf(one, now)),
    })),
    pending,
    oldestWaitMs: oldestWaitMs(demands, undefined, now),
    lastHour: sumOf(minutes),
    minutes: minutes.map(minuteOf),
    ...(config.tryItPort !== undefined && { tryIt: true }),
  };
};

const keptOf = onceFor((_workers: WorkerStore) => createKept<Overview>(freshMs));

/** A process looks at most once a second, however many ask. */
export const overview = (deps: OverviewDeps): Promise<Overview> =>
  keptOf(deps.workers)(deps.clock.monotonicMs(), () => look(deps));
