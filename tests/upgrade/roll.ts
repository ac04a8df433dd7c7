/**
 * Two versions side by side under load: every API process and every consumer is replaced by one of the other version, one
 * after the other, and back again. First without a fault, then with faults.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { endContainer } from '../chaos/container-faults.ts';
import { createFaults } from '../chaos/faults.ts';
import { awaitFinal } from '../chaos/final.ts';
import { startOperator } from '../chaos/operator.ts';
import { type ChaosFault, planFaults } from '../chaos/plan.ts';
import { findLate } from '../chaos/promptness.ts';
import { seededRandom } from '../chaos/random.ts';
import { openStage, type Stage } from '../chaos/stage.ts';
import { startUsers, type Users, usualHabits } from '../chaos/users.ts';
import { judgeHistory, type Verdict } from '../judge/judge.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { type Recorder, readHistory, recorder } from '../system/recorder.ts';

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
  violations: (Verdict['violations'][number] | ReturnType<typeof findLate>[number])[];
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
/** Those of chaos: see tests/chaos/run.ts. */
const excuseMs = 10_000;
const lateMs = 20_000;
const closedWithinMs = 60_000;
/** A crash of a worker would excuse what a deploy must not do. */
const habits = { ...usualHabits, users: 10, crashes: 0 };
/** Those of the product: on a busy machine the shorter ones of chaos would kill processes that a roll has slowed down. */
const times = {
  FROZEN_AFTER_MS: '4000',
  HEARTBEAT_SECONDS: '5',
  WORKER_HANG_MS: '5000',
  STORE_TIMEOUT_MS: '5000',
};

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
  const inject = async () => {
    const startedAt = monotonicMs();
    const injections: Promise<unknown>[] = [];
    for (const planned of planFaults({ seed, durationMs: planMs, everyMs, only: faultsWhileMixed })) {
      const waitMs = Math.max(0, startedAt + planned.atMs - monotonicMs());
      await pause(waitMs, undefined, { signal: over.signal }).catch(() => undefined);
      if (over.signal.aborted) break;
      injections.push(faults.inject(planned));
    }
    await Promise.all(injections);
  };
  const injecting = inject();
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
  await using stage = await openStage({ folder, historyFile, record, ...sizes, env: times, root: from });
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
  await crowd.leave();
  operator.usersHaveLeft();
  const prefix = stage.env.QUEUE_PREFIX ?? '';
  const final = await awaitFinal({
    servers: stage.servers,
    prefix,
    userIds: crowd.ids(),
    limitMs: closedWithinMs,
  });
  await operator.stop();
  const events = readHistory(historyFile);
  writeFileSync(join(folder, 'final.json'), JSON.stringify(final));
  const graceMs = Number(stage.env.GRACE_MS);
  const { violations, counts } = judgeHistory(events, final, { allowCutOff: true, excuseMs, graceMs });
  const late = findLate(events, {
    limitMs: lateMs,
    calmLimitMs: lateMs,
    retryMaxMs: Number(stage.env.RETRY_MAX_MS),
  });
  return {
    violations: [...violations, ...late],
    counts,
    replaced: calm + faulty,
    seconds: Math.round((monotonicMs() - startedAt) / 1_000),
    historyFile,
  };
};
