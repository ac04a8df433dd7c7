/** What one user, or one process, may do to the others: each situation with its load, what happens, and how long others may wait. */
import { connect } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import { systemClock } from '../../lib/clock.ts';
import { laneOf } from '../../lib/lane-of.ts';
import { pollUntil } from '../../lib/poll.ts';
import type { RunLimits } from '../../lib/types.ts';
import type { HistoryEvent, Started } from '../judge/history.ts';
import type { ClusterNode, RabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import type { openDirectDeps } from './direct-deps.ts';
import type { NeighborWork } from './neighbor-processor.ts';
import type { Random } from './random.ts';
import { hangUp, stormLogins } from './rude-callers.ts';
import type { Container, Stage } from './stage.ts';

/** Users that send the same work again and again. */
export type Group = {
  userIds: string[];
  work: NeighborWork;
  /** Each user sends one request in this time, and its first one up to this time after `startsAtMs`. */
  everyMs: number;
  requests: number;
  startsAtMs?: number;
  /** Whether these are the others: the users whose waits count. */
  counts: boolean;
};

export type Scene = {
  stage: Stage;
  deps: ReturnType<typeof openDirectDeps>;
  record: Recorder;
  random: Random;
  cluster: RabbitmqCluster | undefined;
  groups: Group[];
  tokenOf(userId: string): string;
  /** What has been recorded until now. */
  events(): HistoryEvent[];
  /** Sends `each` requests (default: 1) for each of these new users. */
  sendAsNew(userIds: string[], work: NeighborWork, options?: { limits?: RunLimits; each?: number }): Promise<void>;
};

export type Situation = {
  name: string;
  limitMs: number;
  env?: Record<string, string>;
  /** Whether RabbitMQ is a cluster of three nodes. */
  cluster?: boolean;
  /** Whether the users of the load call the API. Without it, their requests are accepted directly. */
  overHttp?: boolean;
  groups(random: Random): Group[];
  /** May resolve to how often it happened. */
  happen(scene: Scene): Promise<unknown>;
  /** What the users need before they can leave. */
  end?(scene: Scene): Promise<unknown>;
  /** What shows that it happened, and how often. Asked at the end of the load. */
  hit: string;
  hits(scene: Scene, happenedAt: number, happened: unknown): Promise<number> | number;
};

/** The load starts; the situation begins; the load ends. */
export const times = { happensAtMs: 6_000, loadMs: 36_000 };

const lanes = 64;

const newId = (random: Random): string =>
  Array.from({ length: 3 }, () =>
    random
      .between(0, 2 ** 32 - 1)
      .toString(16)
      .padStart(8, '0'),
  ).join('');

const newIds = (random: Random, count: number): string[] => Array.from({ length: count }, () => newId(random));

const idInLane = (random: Random, isWanted: (lane: number) => boolean): string => {
  for (;;) {
    const id = newId(random);
    if (isWanted(laneOf(id, lanes))) return id;
  }
};

/** One user in each of the first `count` lanes. */
const inFirstLanes = (random: Random, count: number): string[] =>
  Array.from({ length: count }, (_, lane) => idInLane(random, (own) => own === lane));

const paced = (userIds: string[], ms: number, everyMs: number): Group => ({
  userIds,
  work: { ms },
  everyMs,
  requests: Math.ceil(times.loadMs / everyMs),
  counts: true,
});

/** The others: short runs. */
const others = (random: Random): Group => paced(newIds(random, 80), 30, 2_000);

/** One user in each lane whose runs follow each other without a break until the load is over. */
const longRuns = (random: Random): Group => ({
  userIds: inFirstLanes(random, lanes),
  work: { ms: 15_000 },
  everyMs: 500,
  requests: 3,
  counts: false,
});

const othersIn = ({ groups }: Scene): string[] =>
  groups.filter(({ counts }) => counts).flatMap(({ userIds }) => userIds);

/** The others that one worker served before and another one after. */
const movedUsers = (scene: Scene, happenedAt: number): number => {
  const starts = Map.groupBy(
    scene.events().filter((event) => event.kind === 'started'),
    ({ userId }) => userId,
  );
  return othersIn(scene).filter((userId) => {
    const own = starts.get(userId) ?? [];
    const before = own.findLast(({ at }) => at < happenedAt);
    return before && own.some(({ at, worker }) => at > happenedAt && worker !== before.worker);
  }).length;
};

const refusedAmong = async ({ deps }: Scene, userIds: string[]): Promise<number> =>
  (await deps.userQueues.get(userIds)).filter(({ queueRefused }) => queueRefused).length;

const runsInProgress = (events: HistoryEvent[]): Started[] => {
  const idOf = ({ userId, seq, attempt, worker }: Pick<Started, 'userId' | 'seq' | 'attempt' | 'worker'>) =>
    JSON.stringify([userId, seq, attempt, worker]);
  const ended = new Set(events.filter((event) => event.kind === 'ended').map(idOf));
  return events.filter((event) => event.kind === 'started').filter((start) => !ended.has(idOf(start)));
};

const containerToEnd = ({ stage }: Scene): Container => stage.containers()[0]!;

const deploy = async (scene: Scene): Promise<void> => {
  const container = containerToEnd(scene);
  scene.record({ kind: 'fault', fault: 'worker-stopped', at: monotonicMs(), target: container.name });
  container.signalPrimary('SIGTERM');
  await scene.stage.startContainer();
};

const join = async ({ stage, record }: Scene): Promise<void> => {
  const at = monotonicMs();
  const { name } = await stage.startContainer();
  record({ kind: 'fault', fault: 'worker-joined', at, target: name });
};

const declareOtherwise = async ({ stage, groups }: Scene): Promise<void> => {
  const connection = await connect(stage.servers.broker.url);
  const channel = await connection.createChannel();
  const refused = groups.filter(({ counts }) => !counts).flatMap(({ userIds }) => userIds);
  for (const userId of refused) {
    await channel.assertQueue(userQueue(stage.env.QUEUE_PREFIX ?? '', userId), { durable: true, maxLength: 1_000 });
  }
  await connection.close();
};

/** The second container is connected to it, so it has the queues of the users that this container serves. */
const mortalNode = ({ cluster }: Scene): ClusterNode => cluster!.nodes[1]!;

const killNode = async (scene: Scene): Promise<void> => {
  const at = monotonicMs();
  await mortalNode(scene).kill();
  scene.record({ kind: 'fault', fault: 'broker-restarted', at, until: monotonicMs() });
};

/** Eight users of one worker, which has eight slots. */
const hangEight = async ({ deps, random, sendAsNew }: Scene): Promise<void> => {
  const [worker] = await deps.workers.all();
  const userIds = Array.from({ length: 8 }, () => idInLane(random, (lane) => !!worker?.lanes.includes(lane)));
  const limits = { timeoutMs: 1_000, maxAttempts: 1 };
  await sendAsNew(userIds, { ms: 45_000, ignoresSignal: true }, { limits });
};

const killWorkerWithMost = ({ stage, record }: Scene, runs: Started[]): void => {
  const [worker = ''] = [...Map.groupBy(runs, (run) => run.worker)]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([name]) => name);
  const [name, pid] = worker.split('/');
  const container = stage.containers().find((one) => one.name === name);
  record({ kind: 'fault', fault: 'worker-killed', target: worker, at: monotonicMs() });
  container?.signalWorker(Number(pid), 'SIGKILL');
};

const repeatedWithinMs = 5_000;

/** The second one when it has taken over runs of the first, so that these are interrupted twice. */
const killTwo = async (scene: Scene): Promise<void> => {
  const killed = monotonicMs();
  killWorkerWithMost(scene, runsInProgress(scene.events()));
  const again = () => runsInProgress(scene.events()).filter(({ attempt, at }) => attempt > 1 && at > killed);
  await pollUntil(systemClock, repeatedWithinMs, async () => again().length >= 4 || undefined);
  killWorkerWithMost(scene, again());
};

const floodUsers = 40;

const flood = async ({ random, sendAsNew }: Scene): Promise<string[]> => {
  const userIds = newIds(random, floodUsers);
  await sendAsNew(userIds, { ms: 300, padding: 'x'.repeat(250_000) }, { each: 9 });
  return userIds;
};

const stormForMs = 8_000;

/** Repeats it for some seconds at the API that the others call. */
const atApi =
  (act: (url: string, scene: Scene) => Promise<number>) =>
  async (scene: Scene): Promise<number> => {
    const startedAt = monotonicMs();
    let count = 0;
    while (monotonicMs() - startedAt < stormForMs) count += await act(scene.stage.apis[0]!.url, scene);
    return count;
  };

/** The callers wait for requests that run for longer than they stay. */
const hangUpWhileWaiting = async (scene: Scene): Promise<number> => {
  const userIds = newIds(scene.random, 10);
  await scene.sendAsNew(userIds, { ms: 15_000 });
  const pending = userIds.map((userId) => ({ seq: 1, token: scene.tokenOf(userId) }));
  return atApi((url, { random }) => hangUp(url, pending, 100, random))(scene);
};

const interruptedTwice = (scene: Scene): number =>
  new Set(
    scene
      .events()
      .filter((event) => event.kind === 'started' && event.attempt > 2)
      .map((event) => JSON.stringify(event.kind === 'started' && [event.userId, event.seq])),
  ).size;

export const situations: Situation[] = [
  {
    name: 'deploy',
    limitMs: 1_000,
    groups: (random) => [others(random), longRuns(random)],
    happen: deploy,
    hit: 'others moved to another worker',
    hits: movedUsers,
  },
  {
    name: 'join',
    limitMs: 1_000,
    groups: (random) => [others(random), longRuns(random)],
    happen: join,
    hit: 'others moved to another worker',
    hits: movedUsers,
  },
  {
    name: 'refused user queues',
    limitMs: 2_000,
    groups: (random) => [
      others(random),
      paced(inFirstLanes(random, lanes), 5_000, 6_000),
      {
        ...paced(inFirstLanes(random, 8), 30, 1_000),
        startsAtMs: times.happensAtMs + 500,
        requests: 28,
        counts: false,
      },
    ],
    happen: declareOtherwise,
    hit: 'user queues refused',
    hits: (scene) =>
      refusedAmong(
        scene,
        scene.groups.filter(({ counts }) => !counts).flatMap(({ userIds }) => userIds),
      ),
  },
  {
    name: 'dead node',
    limitMs: 2_000,
    cluster: true,
    env: { LANE_QUEUE_TYPE: 'quorum' },
    groups: (random) => [others(random), paced(newIds(random, 20), 3_000, 4_000)],
    happen: killNode,
    // Its queues cannot be deleted without it.
    end: (scene) => mortalNode(scene).start(),
    hit: 'user queues refused',
    hits: (scene) => refusedAmong(scene, othersIn(scene)),
  },
  {
    name: 'eight hung users',
    limitMs: 2_000,
    env: { CONCURRENCY: '8' },
    groups: (random) => [others(random)],
    happen: hangEight,
    hit: 'runs past their deadline',
    hits: (scene, happenedAt) =>
      runsInProgress(scene.events()).filter(({ at }) => at > happenedAt && monotonicMs() - at > 10_000).length,
  },
  {
    name: 'large requests',
    limitMs: 2_000,
    env: { HELD_BYTES: String(4 * 2 ** 20) },
    groups: (random) => [others(random)],
    happen: flood,
    hit: 'large requests run',
    hits: (scene, _, userIds) =>
      scene.events().filter((event) => event.kind === 'started' && (userIds as string[]).includes(event.userId)).length,
  },
  {
    name: 'login storm',
    limitMs: 2_000,
    overHttp: true,
    env: { BCRYPT_COST: '10', MAX_WAITING_HASHES: '64' },
    groups: (random) => [others(random)],
    happen: atApi(async (url, { random }) => (await stormLogins(url, 50, random)).length),
    hit: 'logins answered',
    hits: (_scene, _at, answered) => answered as number,
  },
  {
    name: 'clients that hang up',
    limitMs: 2_000,
    overHttp: true,
    groups: (random) => [others(random)],
    happen: hangUpWhileWaiting,
    hit: 'connections that hung up',
    hits: (_scene, _at, opened) => opened as number,
  },
  {
    name: 'two killed workers',
    limitMs: 2_000,
    groups: (random) => [paced(newIds(random, 80), 3_000, 4_000)],
    happen: killTwo,
    hit: 'requests interrupted twice',
    hits: interruptedTwice,
  },
];
