/** One chaos run, from the start of the servers to the verdict. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Verdict } from '../judge/judge.ts';
import type { RabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { recorder } from '../system/recorder.ts';
import { type Closed, closeRun, usualLateMs } from './close-run.ts';
import { type Aim, createFaults, type Injected } from './faults.ts';
import { injectAll } from './inject-all.ts';
import { startOperator } from './operator.ts';
import { drawHistory } from './picture.ts';
import { type ChaosFault, planFaults } from './plan.ts';
import { type Recovery, recoveriesOf } from './promptness.ts';
import { seededRandom } from './random.ts';
import { openStage, type Stage } from './stage.ts';
import { type Habits, startUsers, type Users, usualHabits } from './users.ts';

export type ChaosOptions = {
  seed: number;
  durationMs: number;
  /** The average time between two faults. */
  everyMs: number;
  /** The time at the end of the run in which no fault begins. Default: 0. */
  quietMs?: number;
  /** The kinds of faults. Default: all. */
  only?: readonly ChaosFault[];
  aim?: Aim;
  habits?: Partial<Habits>;
  /** Environment variables of the API and the consumers, in addition to those that chaos sets. */
  env?: Record<string, string>;
  /** A request must start within this time when nothing holds it up. */
  lateMs?: number;
  /** The same when there was no fault lately that may hold up its user. Default: `lateMs`, if that is given. */
  calmLateMs?: number;
  /** All queues must be closed within this time after the last fault and the last disconnect. */
  closedWithinMs?: number;
  /** Used in place of a RabbitMQ with one node. */
  cluster?: RabbitmqCluster;
  /** Ends the run early. */
  signal?: AbortSignal;
  /** The folder for the history, the picture and the logs. */
  folder: string;
};

/** `userId` of a false alarm is the worker that lost the lane. */
type FalseAlarm = { kind: 'false-alarm'; userId: string; seq?: number; detail: string };

export type ChaosViolation = Verdict['violations'][number] | Closed['late'][number] | FalseAlarm;

export type ChaosResult = {
  violations: ChaosViolation[];
  counts: Verdict['counts'];
  injected: Injected[];
  /** Why kinds of faults were left out, a sentence each. */
  leftOut: string[];
  recoveries: Recovery[];
  /** The number of hung workers that no fault had made hang: the machine or the worker was too busy. */
  foundHung: number;
  seconds: number;
  historyFile: string;
  pictureFile: string;
};

/** More than a hand-over on a busy machine, or the time after which hanging runs have lost their slots. */
const usualCalmLateMs = 8_000;

const noStepDown = 'MongoDB did not step down, because this one cannot.';

/** Faults that must not cost any worker a lane. */
const costNoLane: readonly ChaosFault[] = ['container stalled'];
/** In a run with nothing but such faults, the times that decide about lanes are those of the product. */
export const productTimes = {
  FROZEN_AFTER_MS: '4000',
  HEARTBEAT_SECONDS: '5',
  WORKER_HANG_MS: '5000',
  STORE_TIMEOUT_MS: '5000',
};
const hasOnlyStalls = ({ only = [] }: ChaosOptions): boolean =>
  only.length > 0 && only.every((fault) => costNoLane.includes(fault));

/** The lanes that were lost all the same, because RabbitMQ or another worker took their owner for frozen. */
const falseAlarms = (stage: Stage, options: ChaosOptions): ChaosViolation[] =>
  (hasOnlyStalls(options) ? stage.lostLanes() : [])
    .filter(({ reason }) => !reason.includes('MongoDB'))
    .map(({ worker, lane, reason }) => ({ kind: 'false-alarm', userId: worker, detail: `lane ${lane}: ${reason}` }));

/** Also waits until the whole time is over. */
const injectFaults = async (stage: Stage, options: ChaosOptions, record: ReturnType<typeof recorder>, users: Users) => {
  const { durationMs, quietMs = 0, signal, aim } = options;
  const faults = createFaults({ stage, record, users, aim });
  const [injected] = await Promise.all([
    injectAll(faults, planFaults({ ...options, durationMs: durationMs - quietMs }), signal),
    pause(durationMs, undefined, { signal }).catch(() => undefined),
  ]);
  return injected;
};

export const runChaos = async (options: ChaosOptions): Promise<ChaosResult> => {
  const { seed, folder, lateMs = usualLateMs } = options;
  const calmLateMs = options.calmLateMs ?? options.lateMs ?? usualCalmLateMs;
  mkdirSync(folder, { recursive: true });
  const historyFile = join(folder, 'history.jsonl');
  const pictureFile = join(folder, 'picture.svg');
  writeFileSync(historyFile, '');
  const record = recorder({ HISTORY_FILE: historyFile });
  await using stage = await openStage({
    folder,
    historyFile,
    record,
    workers: 2,
    containers: 2,
    apis: 2,
    env: hasOnlyStalls(options) ? { ...productTimes, ...options.env } : options.env,
    cluster: options.cluster,
  });
  const startedAt = monotonicMs();
  const users = startUsers({
    seed,
    habits: { ...usualHabits, ...options.habits },
    urls: stage.apis.map(({ url }) => url),
    record,
  });
  const operator = startOperator(stage, record, seededRandom(seed));
  const injected = await injectFaults(stage, options, record, users);
  const { events, verdict, late, endedAt } = await closeRun({
    ...{ stage, users, operator, folder, historyFile },
    ...{ lateMs, calmLateMs, closedWithinMs: options.closedWithinMs },
  });
  writeFileSync(pictureFile, drawHistory(events, { title: `Chaos, seed ${seed}`, startedAt, endedAt }));
  const hung = injected.filter(({ fault }) => fault === 'worker hung').length;
  return {
    violations: [...verdict.violations, ...falseAlarms(stage, options), ...late],
    counts: verdict.counts,
    injected,
    leftOut: stage.servers.store.stepDown ? [] : [noStepDown],
    recoveries: recoveriesOf(events, injected),
    foundHung: Math.max(0, stage.foundHung() - hung),
    seconds: Math.round((endedAt - startedAt) / 1_000),
    historyFile,
    pictureFile,
  };
};
