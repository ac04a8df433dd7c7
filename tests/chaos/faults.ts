/** Injects the faults of a plan, ends them when their time is over, and records them in the history. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import type { FaultKind } from '../judge/history.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import type { ChaosFault, PlannedFault } from './plan.ts';
import { type Random, seededRandom } from './random.ts';
import type { Outage, Server } from './servers.ts';
import type { Api, Container, Stage } from './stage.ts';

export type Injected = { fault: ChaosFault; at: number; until: number; target: string | undefined };

type Hit = { kind: FaultKind; at: number; until?: number; target?: string };
/** Resolves when the fault is over: to nothing when it found no target. */
type Injector = (planned: { lastsMs: number; random: Random }) => Promise<Hit | undefined>;

type Busy = { busy: boolean };

/** How long to wait for containers that are starting. Long, because a busy machine starts them slowly. */
const startTimeoutMs = 20_000;
/** The shortest and the longest delay of a connection, in each direction. */
const delaysMs = [30, 400] as const;
/** How far ahead the clock of a host is set. */
const hostAheadMs = [-60_000, 0, 60_000] as const;

/**
 * Whose connections the faults hit, and to which server. Default: the connections of all processes, to one server or
 * both.
 */
export type Aim = { of: 'apis' | 'containers'; to: 'broker' | 'store' };

export type Faults = {
  /** Resolves when the fault is over: to nothing when it found no target. */
  inject(planned: PlannedFault): Promise<Injected | undefined>;
};

type FaultOptions = { stage: Stage; record: Recorder; activeUsers: () => string[]; aim?: Aim };

export const createFaults = ({ stage, record, activeUsers, aim }: FaultOptions): Faults => {
  const freeContainers = () => stage.containers().filter(({ busy }) => !busy);
  const free = <T extends Busy>(all: T[]): T[] => all.filter(({ busy }) => !busy);

  /** Picks a target. No other fault hits it until `hit` is over. */
  const exclusively = async <T extends Busy>(
    targets: T[],
    random: Random,
    hit: (target: T) => Promise<Hit | undefined>,
  ): Promise<Hit | undefined> => {
    if (targets.length === 0) return undefined;
    const target = random.pick(targets);
    target.busy = true;
    try {
      return await hit(target);
    } finally {
      target.busy = false;
    }
  };

  const hitWorker =
    (kind: FaultKind, hit: (container: Container, pid: number, lastsMs: number) => Promise<void>): Injector =>
    ({ random, lastsMs }) =>
      exclusively(freeContainers(), random, async (container) => {
        const pids = container.workerPids();
        if (pids.length === 0) return undefined;
        const pid = random.pick(pids);
        const at = monotonicMs();
        await hit(container, pid, lastsMs);
        return { kind, at, until: lastsMs > 0 ? monotonicMs() : undefined, target: `${container.name}/${pid}` };
      });

  const freeze = async (container: Container, pid: number, lastsMs: number): Promise<void> => {
    container.signalWorker(pid, 'SIGSTOP');
    await pause(lastsMs);
    container.signalWorker(pid, 'SIGCONT');
  };

  const freezeContainer: Injector = ({ random, lastsMs }) =>
    exclusively(freeContainers(), random, async (container) => {
      const at = monotonicMs();
      container.signalPrimary('SIGSTOP');
      const pids = container.workerPids();
      for (const pid of pids) container.signalWorker(pid, 'SIGSTOP');
      await pause(lastsMs);
      for (const pid of pids) container.signalWorker(pid, 'SIGCONT');
      container.signalPrimary('SIGCONT');
      return { kind: 'worker-frozen', at, until: monotonicMs(), target: container.name };
    });

  /** Waits for containers that are starting, because one must be left to acquire the lanes. */
  const untilTwoAreFree = async (): Promise<boolean> => {
    const deadline = monotonicMs() + startTimeoutMs;
    while (freeContainers().length < 2 && monotonicMs() < deadline) await pause(100);
    return freeContainers().length >= 2;
  };

  /** Ends a container and starts another one in its place. */
  const endContainer =
    (signal: NodeJS.Signals): Injector =>
    async ({ random }) => {
      if (!(await untilTwoAreFree())) return undefined;
      return exclusively(freeContainers(), random, async (container) => {
        const at = monotonicMs();
        container.signalPrimary(signal);
        await stage.startContainer();
        return { kind: 'worker-stopped', at, target: container.name };
      });
    };

  const joinContainer: Injector = async ({ lastsMs }) => {
    const at = monotonicMs();
    const container = await stage.startContainer();
    container.busy = true;
    await pause(lastsMs);
    await untilTwoAreFree();
    record({ kind: 'fault', fault: 'worker-stopped', at: monotonicMs(), target: container.name });
    container.signalPrimary('SIGTERM');
    return { kind: 'worker-joined', at, target: container.name };
  };

  const restart =
    (server: Server, kind: FaultKind, outage: Omit<Outage, 'lastsMs'>): Injector =>
    async ({ lastsMs }) => ({ kind, ...(await server.outage({ ...outage, lastsMs }, monotonicMs)) });

  const owners = () => [
    ...(aim?.of === 'apis' ? [] : freeContainers()),
    ...(aim?.of === 'containers' ? [] : free(stage.apis)),
  ];

  const hitConnections =
    (
      kind: FaultKind,
      hit: (proxy: TcpProxy, random: Random) => Promise<void> | void,
      end: (proxy: TcpProxy) => Promise<void> | void,
    ): Injector =>
    ({ random, lastsMs }) =>
      exclusively<Container | Api>(owners(), random, async (owner) => {
        const { name, proxies } = owner;
        const { broker, store } = proxies;
        const targets = aim ? [proxies[aim.to]] : random.pick([[broker], [store], [broker, store]]);
        const at = monotonicMs();
        await Promise.all(targets.map((proxy) => hit(proxy, random)));
        await pause(lastsMs);
        for (const proxy of targets) await end(proxy);
        const isApi = stage.apis.some((api) => api === owner);
        return { kind: isApi ? 'function-cut-off' : kind, at, until: monotonicMs(), target: name };
      });

  const killApi: Injector = ({ random, lastsMs }) =>
    exclusively(free(stage.apis), random, async (api) => {
      const at = monotonicMs();
      await api.killAndRestart(lastsMs);
      return { kind: 'function-killed', at, until: monotonicMs(), target: api.name };
    });

  const setHostClock: Injector = ({ random }) =>
    exclusively<Container | Api>(owners(), random, async ({ name, clock }) => {
      const at = monotonicMs();
      clock.set(random.pick(hostAheadMs));
      return { kind: 'clock-jumped', at, target: name };
    });

  const deleteUserQueue: Injector = async ({ random }) => {
    const users = activeUsers();
    if (users.length === 0) return undefined;
    const queue = userQueue(stage.env.QUEUE_PREFIX ?? '', random.pick(users));
    const at = monotonicMs();
    try {
      const connection = await connect(stage.servers.broker.url, { timeout: 3_000 });
      connection.on('error', () => undefined);
      try {
        const channel = await connection.createChannel();
        channel.on('error', () => undefined);
        // RabbitMQ reports no error when the queue to delete does not exist.
        await channel.checkQueue(queue);
        // Before the deletion, because a worker may log its effect immediately.
        stage.noteDeleted(queue, at);
        await channel.deleteQueue(queue);
      } finally {
        await connection.close();
      }
    } catch {
      // The broker is down or the user has no queue, so there is nothing to delete.
      return undefined;
    }
    return { kind: 'user-queue-deleted', at };
  };

  const { broker, store } = stage.servers;
  const injectors: Record<ChaosFault, Injector> = {
    'worker killed': hitWorker('worker-killed', async ({ signalWorker }, pid) => signalWorker(pid, 'SIGKILL')),
    'worker frozen': hitWorker('worker-frozen', freeze),
    'worker hung': hitWorker('worker-hung', freeze),
    'container frozen': freezeContainer,
    'primary killed': endContainer('SIGKILL'),
    'container stopped': endContainer('SIGTERM'),
    'container joined': joinContainer,
    'broker stopped': restart(broker, 'broker-restarted', { how: 'stop' }),
    'broker killed': restart(broker, 'broker-restarted', { how: 'kill' }),
    'broker wiped': restart(broker, 'broker-wiped', { how: 'stop', wipe: true }),
    'store stopped': restart(store, 'store-restarted', { how: 'stop' }),
    'store killed': restart(store, 'store-restarted', { how: 'kill' }),
    'connections cut': hitConnections(
      'connection-cut',
      (proxy) => proxy.cut(),
      (proxy) => proxy.restore(),
    ),
    'connections delayed': hitConnections(
      'network-slow',
      (proxy, random) => proxy.delay(random.between(...delaysMs)),
      (proxy) => proxy.delay(0),
    ),
    'connections frozen': hitConnections(
      'network-slow',
      (proxy) => proxy.freeze(),
      (proxy) => proxy.thaw(),
    ),
    'connections halved': hitConnections(
      'network-slow',
      (proxy, random) => proxy.freeze(random.pick(['to-server', 'from-server'])),
      (proxy) => proxy.thaw(),
    ),
    'api killed': killApi,
    'host clock set': setHostClock,
    'user queue deleted': deleteUserQueue,
  };

  return {
    inject: async ({ fault, lastsMs, seed }) => {
      const hit = await injectors[fault]({ lastsMs, random: seededRandom(seed) });
      if (!hit) return undefined;
      const { kind, at, until, target } = hit;
      record({ kind: 'fault', fault: kind, at, until, target });
      return { fault, at, until: until ?? at, target };
    },
  };
};
