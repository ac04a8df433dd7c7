/**
 * Two versions side by side under load: every API process and every consumer is replaced by one of the other version, one
 * after the other, and back again. First without a fault, then with faults.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { type Closed, closeRun, usualLateMs } from '../chaos/close-run.ts';
import { endContainer } from '../chaos/container-faults.ts';
import { createFaults } from '../chaos/faults.ts';
import { injectAll } from '../chaos/inject-all.ts';
import { startOperator } from '../chaos/operator.ts';
import { type ChaosFault, planFaults } from '../chaos/plan.ts';
import { seededRandom } from '../chaos/random.ts';
import { productTimes } from '../chaos/run.ts';
import { openStage, type Stage } from '../chaos/stage.ts';
import { startUsers, type Users, usualHabits } from '../chaos/users.ts';
import type { Verdict } from '../judge/judge.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { type Recorder, recorder } from '../system/recorder.ts';

export type Upgrade = {
  /** The folders of two checkouts. */
  from: string;
  to: string;
  seed: number;
  /** Whether everything is replaced once more, among faults. */
  withFaults: boolean;
  /** For the history and the logs. */
  folder: string;
  say(line: string): void;
};

export type UpgradeResult = {
  violations: (Verdict['violations'][number] | Closed['late'][number])[];
  counts: Verdict['counts'];
  /** How many processes were replaced. */
  replaced: number;
  seconds: number;
  historyFile: string;
};

/** How long each mixture of versions serves. */
const mixedMs = 3_000;
const everyMs = 5_000;
/** Enough for a roll on a slow machine; what is left of the plan is not injected. */
const planMs = 300_000;
/** Lanes and users change between the versions with each of these, in both directions. */
const faultsWhileMixed: readonly ChaosFault[] = [
  'worker killed',
  'container frozen',
  'api killed',
  'connections cut',
  'user queue deleted',
  'broker wiped',
  'runs hung',
];
/** A crash of a worker would excuse what a deploy must not do. */
const habits = { ...usualHabits, users: 10, crashes: 0 };
const untilFree = async (one: { busy: boolean }): Promise<void> => {
  while (one.busy) await pause(50);
};

/** Starts a consumer of this version, and ends the one that has run longest. */
const replaceConsumer = async (stage: Stage, root: string, record: Recorder): Promise<void> => {
  const at = monotonicMs();
  const { name } = await stage.startContainer(root);
  record({ kind: 'fault', fault: 'worker-joined', at, target: name });
  const [oldest] = stage.containers();
  if (!oldest) throw new Error('No consumer runs.');
  await untilFree(oldest);
  oldest.busy = true;
  for (const { kind, ...about } of await endContainer(oldest, 'SIGTERM', Number(stage.env.GRACE_MS)))
    record({ kind: 'fault', fault: kind, ...about });
};

const replaceApi = async (stage: Stage, index: number, root: string): Promise<void> => {
  const api = stage.apis[index];
  if (!api) throw new Error(`There is no API process ${index}.`);
  await untilFree(api);
  api.busy = true;
  await api.replace(root);
  api.busy = false;
};

/** Resolves to the number of replaced processes. */
const rollTo = async (stage: Stage, root: string, record: Recorder): Promise<number> => {
  for (const [index] of stage.apis.entries()) {
    await replaceConsumer(stage, root, record);
    await pause(mixedMs);
    await replaceApi(stage, index, root);
    await pause(mixedMs);
  }
  return 2 * stage.apis.length;
};

/** Injects faults until the work is done. */
const amongFaults = async <T>(
  { stage, users, record, seed }: { stage: Stage; users: Users; record: Recorder; seed: number },
  work: () => Promise<T>,
): Promise<T> => {
  const faults = createFaults({ stage, record, users });
  const over = new AbortController();
  const plan = planFaults({ seed, durationMs: planMs, everyMs, only: faultsWhileMixed });
  const injecting = injectAll(faults, plan, over.signal);
  // It is awaited below. Until then its failure must not end the process.
  injecting.catch(() => undefined);
  try {
    return await work();
  } finally {
    over.abort();
    await injecting;
  }
};

const migrate = (root: string, mongodbUrl: string) =>
  execa(execPath, ['--no-warnings', 'tools/lanekeeper.ts', 'migrate'], { cwd: root, env: { MONGODB_URL: mongodbUrl } });

export const runUpgrade = async ({ from, to, seed, withFaults, folder, say }: Upgrade): Promise<UpgradeResult> => {
  mkdirSync(folder, { recursive: true });
  const historyFile = join(folder, 'history.jsonl');
  writeFileSync(historyFile, '');
  const record = recorder({ HISTORY_FILE: historyFile });
  const sizes = { workers: 1, containers: 2, apis: 2 };
  // The shorter times of chaos would kill processes that a roll has slowed down on a busy machine.
  await using stage = await openStage({ folder, historyFile, record, ...sizes, env: productTimes, root: from });
  const startedAt = monotonicMs();
  const urls = stage.apis.map(({ url }) => url);
  const crowd = startUsers({ seed, habits, urls, record });
  const operator = startOperator(stage, record, seededRandom(seed));
  await pause(mixedMs);
  say((await migrate(to, stage.servers.store.url)).stdout);
  const forthAndBack = async () => {
    const forth = await rollTo(stage, to, record);
    say('all processes run the new version');
    const back = await rollTo(stage, from, record);
    say('all processes run the old version again');
    return forth + back;
  };
  const calm = await forthAndBack();
  const faulty = withFaults ? await amongFaults({ stage, users: crowd, record, seed }, forthAndBack) : 0;
  const { verdict, late } = await closeRun({
    ...{ stage, users: crowd, operator, folder, historyFile },
    ...{ lateMs: usualLateMs, calmLateMs: usualLateMs },
  });
  return {
    violations: [...verdict.violations, ...late],
    counts: verdict.counts,
    replaced: calm + faulty,
    seconds: Math.round((monotonicMs() - startedAt) / 1_000),
    historyFile,
  };
};
