import type { Worker } from 'node:cluster';
import type { WorkerSnapshot } from '../lanes/lane-worker.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { classifySilence, failuresInRow, restartDelayMs, silenceAfter } from '../runs/supervision.ts';
import { createLifecycle, type Lifecycle, type LifecycleState, mayBecome } from './lifecycle.ts';
import { isWorkerMessage, type MetricValues, type PrimaryMessage } from './messages.ts';

/** One worker's place in the cluster, as `/healthz` shows it. */
export type SlotStatus = {
  slot: number;
  pid: number | undefined;
  state: LifecycleState;
  upMs: number;
  restarts: number;
  snapshot: WorkerSnapshot | undefined;
};

export type WorkerSlot = {
  status(): SlotStatus;
  /** Passes SIGTERM on and starts no other worker. Resolves when none is left: true when it ended in order. */
  drain(): Promise<boolean>;
  /** SIGKILL. */
  kill(): void;
  /** Kills a worker that has not reported for too long. @param sinceLastLookMs since the last call. */
  look(sinceLastLookMs: number): void;
  /** The worker's newest metrics: those it had before when it does not answer in time. */
  metrics(): Promise<MetricValues | undefined>;
};

export type SlotOptions = {
  slot: number;
  workerHangMs: number;
  startTimeoutMs: number;
  fork: () => Worker;
  clock: Pick<Clock, 'after' | 'now'>;
  log: Logger;
  /** The state of the worker in this slot has changed. */
  changed: (state: LifecycleState) => void;
  /** The worker ended by itself, with this exit code. Returns whether to start another. */
  shouldRestart: (exitCode: number | null) => boolean;
  restarted: (reason: string) => void;
  /** What an ended worker had counted, when it was last heard. */
  retired: (last: MetricValues | undefined) => void;
};

const metricsTimeoutMs = 1_000;

/** One process, from its fork to its end. */
type Occupant = {
  worker: Worker;
  life: Lifecycle;
  startedAtMs: number;
  ended: boolean;
  heardOnce: boolean;
  silentMs: number;
  killedFor: string | undefined;
  snapshot: WorkerSnapshot | undefined;
  metrics: MetricValues | undefined;
  metricsArrived: (() => void)[];
};

const stopWaiting = (occupant: Occupant): void => {
  for (const arrived of occupant.metricsArrived.splice(0)) arrived();
};

const hear = (occupant: Occupant, message: unknown): void => {
  if (!isWorkerMessage(message)) return;
  occupant.heardOnce = true;
  occupant.silentMs = 0;
  if (message.kind === 'metrics') {
    occupant.metrics = message.metrics;
    stopWaiting(occupant);
    return;
  }
  occupant.snapshot = message.snapshot;
  // How a life ends is what the exit tells, not the worker.
  if (['running', 'draining'].includes(message.state) && mayBecome(occupant.life.state, message.state)) {
    occupant.life.become(message.state);
  }
};

const askForMetrics = (occupant: Occupant, clock: Pick<Clock, 'after'>): Promise<MetricValues | undefined> =>
  new Promise((resolve) => {
    const done = () => {
      cancelTimeout();
      resolve(occupant.metrics);
    };
    const cancelTimeout = clock.after(metricsTimeoutMs, done);
    occupant.metricsArrived.push(done);
    const message: PrimaryMessage = { kind: 'send-metrics' };
    occupant.worker.send(message, () => {});
  });

/** Keeps one worker alive: starts it, hears it, kills it when it hangs, and starts it again after a while. */
export const openWorkerSlot = (options: SlotOptions): WorkerSlot => {
  const { clock, slot } = options;
  const log = options.log.child({ slot });
  const nowMs = () => clock.now().getTime();
  const drained = Promise.withResolvers<boolean>();
  let occupant: Occupant;
  let failures = 0;
  let restarts = 0;
  let draining = false;
  let cancelRestart = () => {};

  const restartLater = (dead: Occupant, reason: string) => {
    failures = failuresInRow(failures, nowMs() - dead.startedAtMs);
    const delayMs = restartDelayMs(failures);
    log.warn({ reason, failures, delayMs }, 'the worker will be started again');
    cancelRestart = clock.after(delayMs, () => {
      restarts += 1;
      options.restarted(reason);
      occupant = start();
    });
  };

  const exited = (dead: Occupant, code: number | null, signal: string | null) => {
    const reason = dead.killedFor ?? 'died';
    // SIGTERM: it was told to go before it could listen.
    const inOrder = draining && (code === 0 || signal === 'SIGTERM');
    const workerPid = dead.worker.process.pid;
    if (inOrder) log.info({ workerPid }, 'a worker ended');
    else log.error({ workerPid, code, signal, reason }, 'a worker ended');
    dead.ended = true;
    stopWaiting(dead);
    if (inOrder && mayBecome(dead.life.state, 'draining')) dead.life.become('draining');
    dead.life.become(inOrder ? 'stopped' : 'failed');
    if (draining) drained.resolve(inOrder);
    else if (options.shouldRestart(code)) restartLater(dead, reason);
  };

  const start = (): Occupant => {
    const worker = options.fork();
    const next: Occupant = {
      worker,
      life: createLifecycle(options.changed),
      startedAtMs: nowMs(),
      ended: false,
      heardOnce: false,
      silentMs: 0,
      killedFor: undefined,
      snapshot: undefined,
      metrics: undefined,
      metricsArrived: [],
    };
    log.info({ workerPid: worker.process.pid }, 'a worker was started');
    worker.on('message', (message: unknown) => hear(next, message));
    worker.on('error', (err) => {
      const spawned = worker.process.pid !== undefined;
      log.warn({ err }, spawned ? 'the channel to a worker is broken' : 'a worker could not be spawned');
      // A channel that breaks is followed by the exit, or by silence. Without a process nothing exits.
      if (!spawned && !next.ended) exited(next, null, null);
    });
    worker.on('exit', (code: number | null, signal: string | null) => exited(next, code, signal));
    // After the last message, which may come after the exit.
    worker.on('disconnect', () => {
      options.retired(next.metrics);
      next.metrics = undefined;
    });
    return next;
  };

  const kill = () => {
    if (!occupant.ended) occupant.worker.process.kill('SIGKILL');
  };

  occupant = start();
  return {
    kill,
    status: () => ({
      slot,
      pid: occupant.ended ? undefined : occupant.worker.process.pid,
      state: occupant.life.state,
      upMs: occupant.ended ? 0 : nowMs() - occupant.startedAtMs,
      restarts,
      snapshot: occupant.ended ? undefined : occupant.snapshot,
    }),
    drain: () => {
      draining = true;
      cancelRestart();
      if (occupant.ended) drained.resolve(true);
      else occupant.worker.process.kill('SIGTERM');
      return drained.promise;
    },
    look: (sinceLastLookMs) => {
      if (occupant.ended || occupant.killedFor) return;
      occupant.silentMs = silenceAfter(occupant.silentMs, sinceLastLookMs, options.workerHangMs);
      const { workerHangMs, startTimeoutMs } = options;
      const { heardOnce, silentMs } = occupant;
      const verdict = classifySilence({ silentMs, heardOnce, workerHangMs, startTimeoutMs });
      if (verdict === 'alive') return;
      occupant.killedFor = verdict;
      log.error({ workerPid: occupant.worker.process.pid, verdict, silentMs }, 'killing a silent worker');
      kill();
    },
    metrics: () => {
      const reachable = !occupant.ended && occupant.heardOnce && occupant.worker.isConnected();
      // What an ended worker had counted is retired: to give it here too would count it twice.
      if (!reachable) return Promise.resolve(occupant.ended ? undefined : occupant.metrics);
      return askForMetrics(occupant, clock);
    },
  };
};
