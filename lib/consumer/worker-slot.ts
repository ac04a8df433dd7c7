import type { Worker } from 'node:cluster';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { ChildExit } from '../runs/supervised-child.ts';
import { failuresInRow, restartDelayMs } from '../runs/supervision.ts';
import { type LifecycleState, mayBecome } from './lifecycle.ts';
import type { MetricValues } from './messages.ts';
import { WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

/** One slot of the cluster, as `/healthz` shows it. */
export type SlotStatus = {
  slot: number;
  pid: number | undefined;
  state: LifecycleState;
  upMs: number;
  restarts: number;
  snapshot: WorkerSnapshot | undefined;
};

export type SlotOptions = WorkerProcessOptions & {
  slot: number;
  fork: () => Worker;
  /** The worker exited without being asked to. Returns whether to start another. */
  shouldRestart: (exitCode: number | null) => boolean;
  restarted: (reason: string) => void;
  /** The last metrics of a worker that has ended. */
  retired: (last: MetricValues | undefined) => void;
};

/** Keeps one worker running: starts another one, after a pause, when it has exited. */
export class WorkerSlot {
  readonly #options: SlotOptions;
  readonly #drained = Promise.withResolvers<boolean>();
  #current: WorkerProcess;
  #failures = 0;
  #restarts = 0;
  #draining = false;
  #cancelRestart = () => {};

  constructor(options: SlotOptions) {
    this.#options = { ...options, log: options.log.child({ slot: options.slot }) };
    this.#current = this.#start();
  }

  get status(): SlotStatus {
    const { pid, hasExited, life, startedAtMs, snapshot } = this.#current;
    return {
      slot: this.#options.slot,
      pid: hasExited ? undefined : pid,
      state: life.state,
      upMs: hasExited ? 0 : this.#nowMs() - startedAtMs,
      restarts: this.#restarts,
      snapshot,
    };
  }

  /** Passes SIGTERM on and starts no other worker. Resolves when none is left: true after a clean shutdown. */
  drain(): Promise<boolean> {
    this.#draining = true;
    this.#cancelRestart();
    if (this.#current.hasExited) this.#drained.resolve(true);
    else this.#current.signal('SIGTERM');
    return this.#drained.promise;
  }

  kill(): void {
    this.#current.signal('SIGKILL');
  }

  metrics(): Promise<MetricValues | undefined> {
    return this.#current.metrics();
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #start(): WorkerProcess {
    const started = new WorkerProcess(this.#options.fork(), this.#options);
    this.#options.log.info({ workerPid: started.pid }, 'worker started');
    void started.exited.then((exit) => this.#onExit(started, exit));
    void started.finalMetrics.then(this.#options.retired);
    return started;
  }

  #onExit(dead: WorkerProcess, { code, signal }: ChildExit): void {
    const { log, shouldRestart } = this.#options;
    const reason = dead.killedFor ?? 'died';
    // SIGTERM ends a worker that does not listen to it yet.
    const isClean = this.#draining && (code === 0 || signal === 'SIGTERM');
    if (isClean) log.info({ workerPid: dead.pid }, 'worker exited');
    else log.error({ workerPid: dead.pid, code, signal, reason }, 'worker exited');
    if (isClean && mayBecome(dead.life.state, 'draining')) dead.life.become('draining');
    dead.life.become(isClean ? 'stopped' : 'failed');
    if (this.#draining) this.#drained.resolve(isClean);
    else if (shouldRestart(code)) this.#restartLater(dead, reason);
  }

  #restartLater(dead: WorkerProcess, reason: string): void {
    const { clock, log, restarted } = this.#options;
    this.#failures = failuresInRow(this.#failures, this.#nowMs() - dead.startedAtMs);
    const delayMs = restartDelayMs(this.#failures);
    log.warn({ reason, failures: this.#failures, delayMs }, 'worker restart scheduled');
    this.#cancelRestart = clock.after(delayMs, () => {
      this.#restarts += 1;
      restarted(reason);
      this.#current = this.#start();
    });
  }
}
