/** Measures how much longer other users wait in each situation than in a control run with the same load and nothing else. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../lib/clock.ts';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { pollUntil } from '../../lib/poll.ts';
import { openLoop } from '../../tools/load.ts';
import { judgeHistory } from '../judge/judge.ts';
import type { Violation } from '../judge/violation.ts';
import { type RabbitmqCluster, startRabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { type Recorder, readHistory, recorder } from '../system/recorder.ts';
import { openDirectDeps } from './direct-deps.ts';
import { type DirectUser, directUsers, forEach, newUser } from './direct-users.ts';
import { awaitFinal } from './final.ts';
import { NotAcceptedError, sendOverHttp, tokenOf } from './http-users.ts';
import { defaults } from './measure.ts';
import { seededRandom } from './random.ts';
import { type Group, type Scene, type Situation, situations, times } from './situations.ts';
import { openStage, type Stage } from './stage.ts';
import { type Compared, type Counted, summarize, type Waits, waitsOf } from './waits.ts';

export type Neighbors = Compared & { name: string; hit: string; violations: Violation[] };

export type NeighborOptions = {
  folder: string;
  seed: number;
  /** Words of the name of a situation. Default: all situations. */
  only?: string;
  signal: AbortSignal;
};

type Watched = { waits: Waits; hits: number; violations: Violation[] };

const env = { ...defaults, CONCURRENCY: '64', MAX_ATTEMPTS: '5' };
const balanceMs = 8_000;
/** How long after the load a request may wait until it counts as one that never starts. */
const drainMs = 30_000;
const settleMs = 3_000;
/** A user queue that was refused for long is tried again after half a minute. */
const closedWithinMs = 90_000;
const retryMs = 300;
/** As in chaos: what a process needs to notice that its connection is gone. */
const excuseMs = 10_000;

/** A server that is busy or away refuses a call. A client then sends it again, and its user has waited since the first time. */
const untilAccepted = async (send: (sentAt: number) => Promise<void>): Promise<void> => {
  const sentAt = monotonicMs();
  for (;;) {
    try {
      return await send(sentAt);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError || error instanceof NotAcceptedError)) throw error;
      await pause(retryMs);
    }
  }
};

const runLoad = async (
  groups: Group[],
  send: (userId: string, group: Group, sentAt: number) => Promise<void>,
): Promise<void> => {
  const failures: unknown[] = [];
  await Promise.all(
    groups.map(async (group) => {
      const { userIds, everyMs, requests, startsAtMs = 0 } = group;
      await pause(startsAtMs);
      const pace = { ratePerSecond: (userIds.length * 1_000) / everyMs, count: userIds.length * requests };
      // Nobody waits for a call while the others are sent, so a failure is kept until then.
      await openLoop(pace, (index) =>
        untilAccepted((sentAt) => send(userIds[index % userIds.length]!, group, sentAt)).catch(
          (error) => void failures.push(error),
        ),
      );
    }),
  );
  if (failures.length > 0) throw failures[0];
};

type Play = { stage: Stage; cluster: RabbitmqCluster | undefined; situation: Situation; historyFile: string };

/** The users of a situation, and what it may use. */
const openScene = ({ stage, cluster, situation, historyFile }: Play, record: Recorder, seed: number) => {
  const deps = openDirectDeps(stage, {});
  const direct = directUsers(deps, record);
  const secret = stage.env.JWT_SECRET ?? '';
  const [api] = stage.apis;
  const send = api ? sendOverHttp(api.url, secret, record) : direct.send;
  const users = new Map<string, DirectUser>();
  const random = seededRandom(seed);
  const groups = situation.groups(random);
  const logIn = async (userIds: string[]) => {
    for (const userId of userIds) users.set(userId, newUser(userId));
    await forEach(userIds, (userId) => direct.logIn(users.get(userId)!));
  };
  const scene: Scene = {
    stage,
    deps,
    record,
    random,
    cluster,
    groups,
    events: () => readHistory(historyFile).sort((a, b) => a.at - b.at),
    tokenOf: (userId) => tokenOf(users.get(userId)!, secret),
    sendAsNew: async (userIds, work, { limits, each = 1 } = {}) => {
      await logIn(userIds);
      for (let sent = 0; sent < each; sent += 1) {
        await forEach(userIds, (userId) => direct.send(users.get(userId)!, work, { limits }));
      }
    },
  };
  return {
    scene,
    userIds: () => [...users.keys()],
    logIn: () => logIn(groups.flatMap(({ userIds }) => userIds)),
    load: () => runLoad(groups, (userId, { work }, sentAt) => send(users.get(userId)!, work, { sentAt })),
    leave: () => forEach([...users.values()], (user) => untilAccepted(() => direct.leave(user))),
    async [Symbol.asyncDispose]() {
      await Promise.all([deps.publisher.close(), deps.close()]);
    },
  };
};

const countedIn = ({ groups }: Scene, from: number): Counted => {
  const userIds = new Set(groups.filter(({ counts }) => counts).flatMap((group) => group.userIds));
  return { userIds, from, until: Number.POSITIVE_INFINITY };
};

/** @param disturbed whether the situation happens; if not, this is the control run. */
const watch = async (situation: Situation, disturbed: boolean, options: NeighborOptions): Promise<Watched> => {
  const { seed, signal } = options;
  const folder = join(options.folder, `${situation.name.replaceAll(' ', '-')}${disturbed ? '' : '-control'}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const historyFile = join(folder, 'history.jsonl');
  writeFileSync(historyFile, '');
  const record = recorder({ HISTORY_FILE: historyFile });
  await using cluster = situation.cluster ? await startRabbitmqCluster() : undefined;
  await using stage = await openStage({
    folder,
    historyFile,
    record,
    workers: 2,
    containers: 2,
    apis: situation.overHttp ? 1 : 0,
    env: { ...env, ...situation.env },
    processor: 'neighbor-processor.ts',
    cluster,
  });
  await using opened = openScene({ stage, cluster, situation, historyFile }, record, seed);
  const { scene } = opened;
  await scene.deps.ping();
  await opened.logIn();
  await pause(balanceMs, undefined, { signal });
  const happen = async () => {
    await pause(times.happensAtMs, undefined, { signal });
    const at = monotonicMs();
    return { at, happened: disturbed ? await situation.happen(scene) : undefined };
  };
  const [{ at: happenedAt, happened }] = await Promise.all([happen(), opened.load()]);
  // The last requests start before the history is read, which takes time of the machine.
  await pause(settleMs, undefined, { signal });
  const counted = countedIn(scene, happenedAt);
  const allStarted = async () => waitsOf(scene.events(), counted).at(-1) !== Number.POSITIVE_INFINITY || undefined;
  await pollUntil(systemClock, drainMs, allStarted);
  const hits = disturbed ? await situation.hits(scene, happenedAt, happened) : 0;
  if (disturbed) await situation.end?.(scene);
  await opened.leave();
  const prefix = stage.env.QUEUE_PREFIX ?? '';
  const userIds = opened.userIds();
  const final = await awaitFinal({ servers: stage.servers, prefix, userIds, limitMs: closedWithinMs });
  const events = scene.events();
  const { violations } = judgeHistory(events, final, {
    allowCutOff: true,
    excuseMs,
    graceMs: Number(stage.env.GRACE_MS),
  });
  return { waits: summarize(waitsOf(events, counted)), hits, violations };
};

/** Calls `report` after each situation. */
export const runNeighbors = async (
  options: NeighborOptions,
  report: (result: Neighbors) => void,
): Promise<Neighbors[]> => {
  const results: Neighbors[] = [];
  for (const situation of situations.filter(({ name }) => name.includes(options.only ?? ''))) {
    const control = await watch(situation, false, options);
    const disturbed = await watch(situation, true, options);
    const { name, hit, limitMs } = situation;
    const violations = [...control.violations, ...disturbed.violations];
    const compared = { control: control.waits, disturbed: disturbed.waits, limitMs, happened: disturbed.hits };
    results.push({ name, hit, violations, ...compared });
    report(results.at(-1)!);
  }
  return results;
};
