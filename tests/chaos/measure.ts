/** Measures how soon processing continues after one fault, with 1,000 users and the default times of the product. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { HistoryEvent } from '../judge/history.ts';
import { judgeHistory } from '../judge/judge.ts';
import type { Violation } from '../judge/violation.ts';
import { type Recorder, readHistory, recorder } from '../system/recorder.ts';
import { type Crowd, openCrowd } from './crowd.ts';
import { createFaults, type Injected } from './faults.ts';
import { awaitFinal } from './final.ts';
import type { Measured } from './limits.ts';
import type { ChaosFault } from './plan.ts';
import { recoveriesOf } from './promptness.ts';
import { openStage, type Stage } from './stage.ts';

type Measure = {
  name: string;
  fault: ChaosFault | 'hung event loop';
  lastsMs: number;
  /** How long to keep recording after the end of the fault. */
  watchMs: number;
  limitMs: number;
  /** Whether the limit counts from the start or from the end of the fault. */
  from: Measured['from'];
  containers: number;
};

const outage = { lastsMs: 1_000, watchMs: 15_000, limitMs: 10_000, from: 'fromEndMs', containers: 1 } as const;
const momentary = { lastsMs: 0, from: 'fromStartMs', containers: 1 } as const;

const measures: Measure[] = [
  { name: 'kill -9 of one of two workers', fault: 'worker killed', watchMs: 6_000, limitMs: 300, ...momentary },
  {
    name: 'event loop hung in one of two workers',
    fault: 'hung event loop',
    watchMs: 14_000,
    limitMs: 4_000,
    ...momentary,
  },
  {
    name: 'one of two workers frozen for 12 s',
    fault: 'worker hung',
    lastsMs: 12_000,
    watchMs: 4_000,
    limitMs: 4_000,
    from: 'fromStartMs',
    containers: 1,
  },
  { name: 'RabbitMQ stopped and started', fault: 'broker stopped', ...outage },
  { name: 'RabbitMQ killed -9 and started', fault: 'broker killed', ...outage },
  { name: 'MongoDB stopped and started', fault: 'store stopped', ...outage },
  { name: 'MongoDB killed -9 and started', fault: 'store killed', ...outage },
  {
    name: 'one of two containers frozen for 12 s',
    fault: 'container frozen',
    lastsMs: 12_000,
    watchMs: 4_000,
    limitMs: 4_000,
    from: 'fromStartMs',
    containers: 2,
  },
];

/** The default settings of the product, where chaos has shorter times. */
export const defaults = {
  FAILURE_POLICY: 'skip',
  LANES: '64',
  CONCURRENCY: '2000',
  RETRY_BASE_MS: '200',
  RETRY_MAX_MS: '30000',
  GRACE_MS: '20000',
  GAP_TIMEOUT_MS: '2000',
  IDLE_TIMEOUT_MS: '60000',
  STUCK_AFTER_MS: '5000',
  SWEEP_MS: '3000',
  BALANCE_MS: '2000',
  HEARTBEAT_SECONDS: '5',
  FROZEN_AFTER_MS: '4000',
  WORKER_HANG_MS: '5000',
  STORE_TIMEOUT_MS: '5000',
};

/** Enough runs, one after the other, to outlast the effects of a fault, so that no user runs out of work. */
const requestsPerUser = 5;
const balanceMs = 8_000;
const closedWithinMs = 60_000;
const users = 1_000;
/** The faults hit no user of their own choice. */
const nobody = { active: () => [], tokens: () => new Map(), send: async () => [] };

type Watched = { measure: Measure; injected: Injected };

/** The fault that the processor recorded before it hung. The primary records its own when it finds the hung worker. */
const hungFault = (historyFile: string): Injected => {
  const fault = readHistory(historyFile).find((event) => event.kind === 'fault' && event.fault === 'worker-hung');
  if (fault?.kind !== 'fault') throw new Error('The history has no hung worker.');
  return { fault: 'worker hung', at: fault.at, until: fault.at, target: fault.target };
};

const openRuns = (events: HistoryEvent[], at: number): number => {
  const newest = new Map<string, HistoryEvent['kind']>();
  for (const event of events) {
    if ((event.kind === 'started' || event.kind === 'ended') && event.at <= at) newest.set(event.userId, event.kind);
  }
  return [...newest.values()].filter((kind) => kind === 'started').length;
};

const mostRepeats = (events: HistoryEvent[], from: number): number => {
  const repeats = events.filter((event) => event.kind === 'started' && event.attempt > 1);
  const after = repeats.filter(({ at }) => at >= from);
  const ofEach = [...Map.groupBy(after, (event) => ('userId' in event ? event.userId : '')).values()];
  return Math.max(0, ...ofEach.map((own) => own.length));
};

const measuredOf = ({ measure, injected }: Watched, events: HistoryEvent[]): Measured => {
  const { name, limitMs, from, watchMs } = measure;
  const watched = events.filter(({ at }) => at <= injected.until + watchMs);
  const [recovery] = recoveriesOf(watched, [injected]);
  return {
    name,
    from,
    limitMs,
    inFlight: openRuns(watched, injected.at),
    usersHit: recovery?.users ?? 0,
    worstMs: recovery?.[from] ?? 0,
    mostRepeats: mostRepeats(watched, injected.at),
  };
};

const watch = async (stage: Stage, crowd: Crowd, measure: Measure, options: MeasureOptions): Promise<Watched> => {
  const { fault, lastsMs, watchMs } = measure;
  while (stage.containers().length < measure.containers) await stage.startContainer();
  await pause(balanceMs);
  await crowd.fill(requestsPerUser);
  const faults = createFaults({ stage, record: options.record, users: nobody });
  if (fault === 'hung event loop') await crowd.hang();
  const injected = fault === 'hung event loop' ? undefined : await faults.inject({ atMs: 0, fault, lastsMs, seed: 1 });
  await pause(watchMs);
  return { measure, injected: injected ?? hungFault(options.historyFile) };
};

type MeasureOptions = { folder: string; historyFile: string; record: Recorder };

export const runMeasures = async (
  folder: string,
  only: string | undefined,
): Promise<{ measured: Measured[]; violations: Violation[] }> => {
  mkdirSync(folder, { recursive: true });
  const historyFile = join(folder, 'history.jsonl');
  writeFileSync(historyFile, '');
  const record = recorder({ HISTORY_FILE: historyFile });
  await using stage = await openStage({
    folder,
    historyFile,
    record,
    workers: 2,
    containers: 1,
    apis: 0,
    env: defaults,
  });
  const crowd = await openCrowd(stage, users, record);
  const watched: Watched[] = [];
  for (const measure of measures.filter(({ name }) => !only || name.includes(only))) {
    watched.push(await watch(stage, crowd, measure, { folder, historyFile, record }));
  }
  await crowd.leave();
  await crowd.close();
  const prefix = stage.env.QUEUE_PREFIX ?? '';
  const final = await awaitFinal({ servers: stage.servers, prefix, userIds: crowd.ids, limitMs: closedWithinMs });
  const events = readHistory(historyFile).sort((a, b) => a.at - b.at);
  const { violations } = judgeHistory(events, final, { allowCutOff: true });
  return { measured: watched.map((one) => measuredOf(one, events)), violations };
};
