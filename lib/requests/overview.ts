/** The state of everything on one page: what is wrong first. Its cost does not grow with the users: heartbeats and sweeps have counted. */
import type { Deps, FunctionDeps } from '../deps.ts';
import { createKept } from '../kept.ts';
import { oldestWaitMs } from '../lanes/backlog.ts';
import { onceFor } from '../once-for.ts';
import type { Heartbeat, Minute, Snapshot, WorkerStore } from '../ports.ts';
import { waitPercentile } from '../wait-buckets.ts';
import { currentHeartbeats } from './heartbeats.ts';
import { createLastHour } from './last-hour.ts';
import { createLongestWaits, type LongestWaits } from './longest-waits.ts';
import { type Changes, changesOf, overviewVersion } from './overview-versions.ts';
import { findProblems, type Problem } from './problems.ts';
import { listUsers, type UsersDeps } from './users.ts';
import { ageOf, isCurrent, ownerOf } from './verdict.ts';

/** Of the wait from accepted to started of first attempts, in ms: percentiles, and the longest. Absent where nothing started. */
export type Waits = { p50?: number; p95?: number; p99?: number; longest?: number };

/** Ages, in ms, are as of `at`. Next to each is the time that it is counted from. */
export type Overview = {
  at: Date;
  /** Differs when anything but `at` and ages has changed. */
  version: string;
  changes: Changes;
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
    heardAt: Date;
  }[];
  /** As one worker last counted, `countedMsAgo`. */
  pending: {
    requests: number;
    users: number;
    stuckUsers: number;
    deadLetters: number;
    countedMsAgo?: number;
    countedAt?: Date;
  };
  /** How long the oldest request has waited that only lacks a slot. 0, and no time, when none does. */
  oldestWaitMs: number;
  waitingSince?: Date;
  /** The five users for whom nothing has moved for longest, a few seconds old at most, while MongoDB is fast enough for it. */
  longestWaits: LongestWaits;
  lastHour: Waits & { started: number; done: number; failed: number };
  /** The minutes of the last hour in which anything happened. */
  minutes: (Waits & { at: Date; started: number; done: number; failed: number })[];
  /** The console has the page "Try it": during development alone. */
  tryIt?: true;
};

type OverviewDeps = UsersDeps &
  Pick<FunctionDeps, 'health'> & { config: Pick<Deps['config'], 'lanes'> & { tryItPort?: number | undefined } };

const longestUsers = 5;
/** However many look. Whoever watches looks once a second, and timers may be a little early. */
const freshMs = 950;

const percentilesOf = (waits: number[]): Waits => ({
  p50: waitPercentile(waits, 0.5),
  p95: waitPercentile(waits, 0.95),
  p99: waitPercentile(waits, 0.99),
  longest: waitPercentile(waits, 1),
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

const workerOf = (heartbeat: Heartbeat, now: Date): Overview['workers'][number] => ({
  workerId: heartbeat.workerId,
  state: stateOf(heartbeat, now),
  lanes: heartbeat.lanes.length,
  busy: (heartbeat.busy ?? []).reduce((sum, count) => sum + count, 0),
  unresponsive: heartbeat.unresponsive.length,
  heardMsAgo: Math.max(0, ageOf(heartbeat, now)),
  heardAt: heartbeat.at,
});

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
  const counts = { requests: pendingRequests, users: pendingUsers, stuckUsers, deadLetters };
  return { ...counts, countedMsAgo, countedAt: newest?.at };
};

const lastHourOf = onceFor((workers: WorkerStore) => createLastHour(workers));

const longestWaitsOf = onceFor((_workers: WorkerStore) => createLongestWaits());

const look = async (deps: OverviewDeps): Promise<Overview> => {
  const { workers, clock, config, health } = deps;
  const now = clock.now();
  const [heartbeats, minutes, servers] = await Promise.all([
    currentHeartbeats(deps),
    lastHourOf(workers)(now),
    health(),
  ]);
  const lanes = lanesOf(heartbeats, config.lanes, now);
  const pending = pendingOf(heartbeats, now);
  const shown = heartbeats.map((one) => workerOf(one, now));
  const demands = heartbeats.filter((one) => isCurrent(one, now)).flatMap(({ demand }) => demand ?? []);
  const waitedMs = oldestWaitMs(demands, undefined, now);
  const problems = findProblems({ heartbeats, lanes, pending, servers, now });
  const changes = changesOf({ heartbeats, lanes, workers: shown, pending, problems, now });
  const facts = {
    at: now,
    changes,
    problems,
    lanes,
    workers: shown,
    pending,
    oldestWaitMs: waitedMs,
    ...(waitedMs > 0 && { waitingSince: new Date(now.getTime() - waitedMs) }),
    longestWaits: await longestWaitsOf(workers)(changes.users, clock, async () => {
      const { users } = await listUsers({ show: 'waiting', limit: longestUsers }, deps);
      return users;
    }),
    lastHour: sumOf(minutes),
    minutes: minutes.map(minuteOf),
    ...(config.tryItPort !== undefined && { tryIt: true as const }),
  };
  return { ...facts, version: overviewVersion(facts) };
};

const keptOf = onceFor((_workers: WorkerStore) => createKept<Overview>(freshMs));

/** The overview as clients get it. Made once for each look, however many get it. */
export const overviewSnapshot = onceFor(
  (found: Overview): Snapshot => ({ version: found.version, json: JSON.stringify(found) }),
);

/** A process looks at most once a second, however many ask. */
export const overview = (deps: OverviewDeps): Promise<Overview> =>
  keptOf(deps.workers)(deps.clock.monotonicMs(), () => look(deps));
