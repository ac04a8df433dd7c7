/** One run of chaos, from the start of the servers to the verdict. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { judgeHistory, type Verdict } from '../judge/judge.ts';
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
import { type Habits, startUsers, usualHabits } from './users.ts';

export type ChaosOptions = {
  seed: number;
  durationMs: number;
  /** Between two faults, on average. */
  everyMs: number;
  /** Without faults, at the end. */
  quietMs?: number;
  /** Default: all kinds. */
  only?: readonly ChaosFault[];
  aim?: Aim;
  habits?: Partial<Habits>;
  /** Of the API and the consumers, over what chaos uses. */
  env?: Record<string, string>;
  /** A request that nothing holds up starts within this time. */
  lateMs?: number;
  /** When the faults are over and everybody has left, all queues are closed within this time. */
  closedWithinMs?: number;
  /** Ends the run early. */
  signal?: AbortSignal;
  /** Where the history, the picture and the logs go. */
  folder: string;
};

export type ChaosViolation = Verdict['violations'][number] | ReturnType<typeof findLate>[number];

export type ChaosResult = {
  violations: ChaosViolation[];
  counts: Verdict['counts'];
  injected: Injected[];
  recoveries: Recovery[];
  /** Workers that their primary found hung though no fault had hung them: the machine was too busy, or they were. */
  foundHung: number;
  seconds: number;
  historyFile: string;
  pictureFile: string;
};

/** A frozen process loses its connection after three heartbeats of two seconds; the rest is for a busy machine. */
const excuseMs = 10_000;

/** Heartbeats, the hang time and a restart add up to less. */
const usualLateMs = 20_000;
const usualClosedMs = 60_000;

/** Injects every fault in its time; resolves when the last one is mended. */
const play = async (
  stage: Stage,
  options: ChaosOptions,
  record: ReturnType<typeof recorder>,
  active: () => string[],
) => {
  const faults = createFaults({ stage, record, activeUsers: active, aim: options.aim });
  const startedAt = monotonicMs();
  const waitUntil = (atMs: number) =>
    pause(Math.max(0, startedAt + atMs - monotonicMs()), undefined, { signal: options.signal }).catch(() => undefined);
  const under: Promise<Injected | undefined>[] = [];
  for (const planned of planFaults({ ...options, durationMs: options.durationMs - (options.quietMs ?? 0) })) {
    await waitUntil(planned.atMs);
    if (options.signal?.aborted) break;
    under.push(faults.inject(planned));
  }
  await waitUntil(options.durationMs);
  return (await Promise.all(under)).filter((injected) => injected !== undefined);
};

export const runChaos = async (options: ChaosOptions): Promise<ChaosResult> => {
  const { seed, folder, lateMs = usualLateMs, closedWithinMs = usualClosedMs } = options;
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
    env: options.env,
  });
  const startedAt = monotonicMs();
  const users = startUsers({
    seed,
    habits: { ...usualHabits, ...options.habits },
    urls: stage.apis.map(({ url }) => url),
    record,
  });
  const operator = startOperator(stage, record, seededRandom(seed));
  const injected = await play(stage, options, record, users.active);
  await users.leave();
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
      ...findLate(events, { limitMs: lateMs, retryMaxMs: Number(stage.env.RETRY_MAX_MS) }),
    ],
    counts: verdict.counts,
    injected,
    recoveries: recoveriesOf(events, injected),
    foundHung: Math.max(0, stage.foundHung() - hung),
    seconds: Math.round((endedAt - startedAt) / 1_000),
    historyFile,
    pictureFile,
  };
};
