/** Does what a plan says goes wrong, mends it when its time is over, and writes it to the history. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import type { FaultKind } from '../judge/history.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import type { ChaosFault, PlannedFault } from './plan.ts';
import { type Random, seededRandom } from './random.ts';
import type { Outage, Server } from './servers.ts';
import type { Api, Container, Stage } from './stage.ts';

export type Injected = { fault: ChaosFault; at: number; until: number; target: string | undefined };

type Hit = { kind: FaultKind; at: number; until?: number; target?: string };
type Hurt = (planned: { lastsMs: number; random: Random }) => Promise<Hit | undefined>;

type Busy = { busy: boolean };

/** For a machine that is slow to start a consumer. */
const patienceMs = 20_000;
/** Either way. */
const delaysMs = [30, 400] as const;

/** Whose connections are hurt, to which server. Default: anybody's, to either or both. */
export type Aim = { of: 'apis' | 'containers'; to: 'broker' | 'store' };

export type Faults = {
  /** Resolves when it is over and mended: to nothing, when there was nobody to hit. */
  inject(planned: PlannedFault): Promise<Injected | undefined>;
};

type FaultOptions = { stage: Stage; record: Recorder; activeUsers: () => string[]; aim?: Aim };

export const createFaults = ({ stage, record, activeUsers, aim }: FaultOptions): Faults => {
  const freeContainers = () => stage.containers().filter(({ busy }) => !busy);
  const free = <T extends Busy>(all: T[]): T[] => all.filter(({ busy }) => !busy);

  /** Nobody else hits `victim` until `hurt` is over. */
  const exclusively = async <T extends Busy>(
    victims: T[],
    random: Random,
    hurt: (victim: T) => Promise<Hit | undefined>,
  ): Promise<Hit | undefined> => {
    if (victims.length === 0) return undefined;
    const victim = random.pick(victims);
    victim.busy = true;
    try {
      return await hurt(victim);
    } finally {
      victim.busy = false;
    }
  };

  const hurtWorker =
    (kind: FaultKind, hurt: (container: Container, pid: number, lastsMs: number) => Promise<void>): Hurt =>
    ({ random, lastsMs }) =>
      exclusively(freeContainers(), random, async (container) => {
        const pids = container.workerPids();
        if (pids.length === 0) return undefined;
        const pid = random.pick(pids);
        const at = monotonicMs();
        await hurt(container, pid, lastsMs);
        return { kind, at, until: lastsMs > 0 ? monotonicMs() : undefined, target: `${container.name}/${pid}` };
      });

  const freeze = async (container: Container, pid: number, lastsMs: number): Promise<void> => {
    container.signalWorker(pid, 'SIGSTOP');
    await pause(lastsMs);
    container.signalWorker(pid, 'SIGCONT');
  };

  const freezeContainer: Hurt = ({ random, lastsMs }) =>
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

  /** Somebody must be left to take over: whatever is starting is waited for. */
  const untilTwoAreFree = async (): Promise<boolean> => {
    const deadline = monotonicMs() + patienceMs;
    while (freeContainers().length < 2 && monotonicMs() < deadline) await pause(100);
    return freeContainers().length >= 2;
  };

  /** Another one takes its place. */
  const endContainer =
    (signal: NodeJS.Signals): Hurt =>
    async ({ random }) => {
      if (!(await untilTwoAreFree())) return undefined;
      return exclusively(freeContainers(), random, async (container) => {
        const at = monotonicMs();
        container.signalPrimary(signal);
        await stage.startContainer();
        return { kind: 'worker-stopped', at, target: container.name };
      });
    };

  const joinContainer: Hurt = async ({ lastsMs }) => {
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
    (server: Server, kind: FaultKind, outage: Omit<Outage, 'lastsMs'>): Hurt =>
    async ({ lastsMs }) => ({ kind, ...(await server.outage({ ...outage, lastsMs }, monotonicMs)) });

  const owners = () => [
    ...(aim?.of === 'apis' ? [] : freeContainers()),
    ...(aim?.of === 'containers' ? [] : free(stage.apis)),
  ];

  const hurtLines =
    (
      kind: FaultKind,
      hurt: (line: Container['lines']['broker'], random: Random) => Promise<void> | void,
      mend: 'restore' | 'thaw' | 'undelay',
    ): Hurt =>
    ({ random, lastsMs }) =>
      exclusively<Container | Api>(owners(), random, async (owner) => {
        const { name, lines } = owner;
        const hit = aim ? [lines[aim.to]] : random.pick([[lines.broker], [lines.store], [lines.broker, lines.store]]);
        const at = monotonicMs();
        await Promise.all(hit.map((line) => hurt(line, random)));
        await pause(lastsMs);
        for (const line of hit) {
          if (mend === 'restore') await line.restore();
          else if (mend === 'thaw') line.thaw();
          else line.delay(0);
        }
        const isApi = stage.apis.some((api) => api === owner);
        return { kind: isApi ? 'function-cut-off' : kind, at, until: monotonicMs(), target: name };
      });

  const killApi: Hurt = ({ random, lastsMs }) =>
    exclusively(free(stage.apis), random, async (api) => {
      const at = monotonicMs();
      await api.killAndRestart(lastsMs);
      return { kind: 'function-killed', at, until: monotonicMs(), target: api.name };
    });

  const deleteUserQueue: Hurt = async ({ random }) => {
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
        // A queue that is not there is deleted without a word.
        await channel.checkQueue(queue);
        // Before it happens: a worker may tell of it at once.
        stage.noteDeleted(queue, at);
        await channel.deleteQueue(queue);
      } finally {
        await connection.close();
      }
    } catch {
      // The broker is down, or the user has no queue: nothing to delete.
      return undefined;
    }
    return { kind: 'user-queue-deleted', at };
  };

  const { broker, store } = stage.servers;
  const hurts: Record<ChaosFault, Hurt> = {
    'worker killed': hurtWorker('worker-killed', async ({ signalWorker }, pid) => signalWorker(pid, 'SIGKILL')),
    'worker frozen': hurtWorker('worker-frozen', freeze),
    'worker hung': hurtWorker('worker-hung', freeze),
    'container frozen': freezeContainer,
    'primary killed': endContainer('SIGKILL'),
    'container stopped': endContainer('SIGTERM'),
    'container joined': joinContainer,
    'broker stopped': restart(broker, 'broker-restarted', { how: 'stop' }),
    'broker killed': restart(broker, 'broker-restarted', { how: 'kill' }),
    'broker wiped': restart(broker, 'broker-wiped', { how: 'stop', wipe: true }),
    'store stopped': restart(store, 'store-restarted', { how: 'stop' }),
    'store killed': restart(store, 'store-restarted', { how: 'kill' }),
    'connections cut': hurtLines('connection-cut', (line) => line.cut(), 'restore'),
    'connections delayed': hurtLines(
      'network-slow',
      (line, random) => line.delay(random.between(...delaysMs)),
      'undelay',
    ),
    'connections frozen': hurtLines('network-slow', (line) => line.freeze(), 'thaw'),
    'connections halved': hurtLines(
      'network-slow',
      (line, random) => line.freeze(random.pick(['to-server', 'from-server'])),
      'thaw',
    ),
    'api killed': killApi,
    'user queue deleted': deleteUserQueue,
  };

  return {
    inject: async ({ fault, lastsMs, seed }) => {
      const hit = await hurts[fault]({ lastsMs, random: seededRandom(seed) });
      if (!hit) return undefined;
      const { kind, at, until, target } = hit;
      record({ kind: 'fault', fault: kind, at, until, target });
      return { fault, at, until: until ?? at, target };
    },
  };
};
