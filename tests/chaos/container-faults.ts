/** Faults of containers and their workers. */
import { setTimeout as pause } from 'node:timers/promises';
import { birthOf, isAlive, processOf } from '../../tools/services/processes.ts';
import type { FaultKind } from '../judge/history.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { exclusively, free, type Hit, type Injector } from './injector.ts';
import type { Random } from './random.ts';
import type { Container, Stage } from './stage.ts';
import type { Users } from './users.ts';

/** How long to wait for containers that are starting. Long, because a busy machine starts them slowly. */
const startTimeoutMs = 20_000;
/** How many users get a long run before a container starts or ends. Fewer than the slots of a worker. */
const longRuns = 3;
/** By then, requests that were just accepted usually run. */
const beginMs = 300;

/** Resolves when the container is gone. Its workers stop; runs that go on after `graceMs` end with them. */
export const endContainer = async (container: Container, signal: NodeJS.Signals, graceMs: number): Promise<Hit[]> => {
  const { name, workerPids, signalPrimary, exited } = container;
  const workers = workerPids().filter(birthOf).map(processOf);
  const at = monotonicMs();
  signalPrimary(signal);
  await exited;
  while (workers.some(isAlive)) await pause(50);
  const endedAt = monotonicMs();
  const stopped: Hit = { kind: 'worker-stopped', at, until: endedAt, target: name };
  const cutShort: Hit = { kind: 'worker-killed', at: endedAt, target: name };
  return endedAt - at < graceMs ? [stopped] : [stopped, cutShort];
};

type ContainerFaultOptions = { stage: Stage; users: Pick<Users, 'send'> };

export const createContainerFaults = ({ stage, users }: ContainerFaultOptions) => {
  const freeContainers = () => free(stage.containers());
  const graceMs = Number(stage.env.GRACE_MS);

  const hitWorker =
    (kind: FaultKind, hit: (container: Container, pid: number, lastsMs: number) => Promise<void>): Injector =>
    ({ random, lastsMs }) =>
      exclusively(freeContainers(), random, async (container) => {
        const pids = container.workerPids();
        if (pids.length === 0) return [];
        const pid = random.pick(pids);
        const at = monotonicMs();
        await hit(container, pid, lastsMs);
        return [{ kind, at, until: lastsMs > 0 ? monotonicMs() : undefined, target: `${container.name}/${pid}` }];
      });

  const freeze = async (container: Container, pid: number, lastsMs: number): Promise<void> => {
    container.signalWorker(pid, 'SIGSTOP');
    await pause(lastsMs);
    container.signalWorker(pid, 'SIGCONT');
  };

  const freezeContainer =
    (kind: 'worker-frozen' | 'worker-stalled'): Injector =>
    ({ random, lastsMs }) =>
      exclusively(freeContainers(), random, async (container) => {
        const at = monotonicMs();
        container.signalPrimary('SIGSTOP');
        const pids = container.workerPids();
        for (const pid of pids) container.signalWorker(pid, 'SIGSTOP');
        await pause(lastsMs);
        for (const pid of pids) container.signalWorker(pid, 'SIGCONT');
        container.signalPrimary('SIGCONT');
        return [{ kind, at, until: monotonicMs(), target: container.name }];
      });

  /** Waits for containers that are starting, because one must be left to acquire the lanes. */
  const untilTwoAreFree = async (): Promise<boolean> => {
    const deadline = monotonicMs() + startTimeoutMs;
    while (freeContainers().length < 2 && monotonicMs() < deadline) await pause(100);
    return freeContainers().length >= 2;
  };

  const beginLongRuns = async (random: Random): Promise<void> => {
    await users.send('long', longRuns, random);
    await pause(beginMs);
  };

  const killWorkers = ({ name, workerPids, signalWorker }: Container): Hit[] =>
    workerPids().map((pid) => {
      const at = monotonicMs();
      signalWorker(pid, 'SIGKILL');
      return { kind: 'worker-killed', at, target: `${name}/${pid}` };
    });

  /** The second time, it hits the workers that have just begun the runs of the first ones: their users are hit twice. */
  const killWorkersInARow: Injector = async ({ random, lastsMs }) => {
    if (!(await untilTwoAreFree())) return [];
    return exclusively(freeContainers(), random, (first) =>
      exclusively(freeContainers(), random, async (second) => {
        await beginLongRuns(random);
        const hits = killWorkers(first);
        await pause(lastsMs);
        return [...hits, ...killWorkers(second)];
      }),
    );
  };

  /** Ends a container and starts another one in its place. */
  const replace = async (container: Container, signal: NodeJS.Signals): Promise<Hit[]> => {
    const [hits] = await Promise.all([endContainer(container, signal, graceMs), stage.startContainer()]);
    return hits;
  };

  const killPrimary: Injector = async ({ random }) => {
    if (!(await untilTwoAreFree())) return [];
    return exclusively(freeContainers(), random, (container) => replace(container, 'SIGKILL'));
  };

  /** As a rolling deploy does. */
  const replaceContainer: Injector = async ({ random }) => {
    if (!(await untilTwoAreFree())) return [];
    return exclusively(freeContainers(), random, async (container) => {
      await beginLongRuns(random);
      return replace(container, 'SIGTERM');
    });
  };

  const joinContainer: Injector = async ({ random, lastsMs }) => {
    const at = monotonicMs();
    const container = await stage.startContainer();
    container.busy = true;
    await beginLongRuns(random);
    await pause(lastsMs);
    await untilTwoAreFree();
    return [
      { kind: 'worker-joined', at, target: container.name },
      ...(await endContainer(container, 'SIGTERM', graceMs)),
    ];
  };

  return {
    'worker killed': hitWorker('worker-killed', async ({ signalWorker }, pid) => signalWorker(pid, 'SIGKILL')),
    'worker frozen': hitWorker('worker-frozen', freeze),
    'worker hung': hitWorker('worker-hung', freeze),
    'workers killed in a row': killWorkersInARow,
    'container stalled': freezeContainer('worker-stalled'),
    'container frozen': freezeContainer('worker-frozen'),
    'primary killed': killPrimary,
    'container replaced': replaceContainer,
    'container joined': joinContainer,
  };
};
