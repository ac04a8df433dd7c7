/** One chaos run, from the start of the servers to the verdict. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { judgeHistory, type Verdict } from '../judge/judge.ts';
import type { RabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { readHistory, recorder } from '../system/recorder.ts';
import { type Aim, createFaults, type Injected } from './faults.ts';
import { awaitFinal } from './final.ts';
import { startOperator } from './operator.ts';
import { drawHistory } from './picture.ts';
import { type ChaosFault, planFaults } from './plan.ts';
import { findLate, type Recovery, recoveriesOf } from './promptness.ts';
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

export type ChaosViolation = Verdict['violations'][number] | ReturnType<typeof findLate>[number] | FalseAlarm;

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

/**
 * A worker whose connection is frozen notices it after three heartbeats of two seconds. The rest is a margin for a busy machine.
 */
const excuseMs = 10_000;

/** More than the sum of `FROZEN_AFTER_MS`, the hang time and a restart. */
const usualLateMs = 20_000;
/** More than a hand-over on a busy machine, or the time after which hanging runs have lost their slots. */
const usualCalmLateMs = 8_000;
const usualClosedMs = 60_000;

const noStepDown = 'MongoDB did not step down, because this one is no replica set.';

/** Faults that must not cost any worker a lane. */
const costNoLane: readonly ChaosFault[] = ['container stalled'];
/** In a run with nothing but such faults, the times that decide about lanes are those of the product. */
const productTimes = {
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

/** Injects every fault at its time. Resolves when the last one is over. */
const injectFaults = async (stage: Stage, options: ChaosOptions, record: ReturnType<typeof recorder>, users: Users) => {
  const faults = createFaults({ stage, record, users, aim: options.aim });
  const startedAt = monotonicMs();
  const waitUntil = (atMs: number) =>
    pause(Math.max(0, startedAt + atMs - monotonicMs()), undefined, { signal: options.signal }).catch(() => undefined);
  const injections: Promise<Injected | undefined>[] = [];
  for (const planned of planFaults({ ...options, durationMs: options.durationMs - (options.quietMs ?? 0) })) {
    await waitUntil(planned.atMs);
    if (options.signal?.aborted) break;
    const injection = faults.inject(planned);
    // A failure ends the run below. Until then nobody waits for this one, and the process would end with its servers left behind.
    injection.catch(() => undefined);
    injections.push(injection);
  }
  await waitUntil(options.durationMs);
  return (await Promise.all(injections)).filter((injected) => injected !== undefined);
};

export const runChaos = async (options: ChaosOptions): Promise<ChaosResult> => {
  const { seed, folder, lateMs = usualLateMs, closedWithinMs = usualClosedMs } = options;
  const calmLimitMs = options.calmLateMs ?? options.lateMs ?? usualCalmLateMs;
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
  await users.leave();
  operator.usersHaveLeft();
  const prefix = stage.env.QUEUE_PREFIX ?? '';
  const final = await awaitFinal({ servers: stage.servers, prefix, userIds: users.ids(), limitMs: closedWithinMs });
  await operator.stop();
  const endedAt = monotonicMs();
  const events = readHistory(historyFile);
  writeFileSync(join(folder, 'final.json'), JSON.stringify(final));
  writeFileSync(pictureFile, drawHistory(events, { title: `Chaos, seed ${seed}`, startedAt, endedAt }));
  const verdict = judgeHistory(events, final, { allowCutOff: true, excuseMs, graceMs: Number(stage.env.GRACE_MS) });
  const hung = injected.filter(({ fault }) => fault === 'worker hung').length;
  return {
    violations: [
      ...verdict.violations,
      ...falseAlarms(stage, options),
      ...findLate(events, { limitMs: lateMs, calmLimitMs, retryMaxMs: Number(stage.env.RETRY_MAX_MS) }),
    ],
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
