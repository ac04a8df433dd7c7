import type { Worker } from 'node:cluster';
import { sleep } from '../clock.ts';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { ChildExit } from '../runs/supervised-child.ts';
import { failuresInRow, restartDelayMs } from '../runs/supervision.ts';
import { type LifecycleState, mayBecome } from './lifecycle.ts';
import type { MetricValues, PrimaryMessage } from './messages.ts';
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

export type SlotOptions = Omit<WorkerProcessOptions, 'mustRetire'> & {
  slot: number;
  fork: () => Worker;
  /** The time from SIGTERM to SIGKILL for a worker that was replaced. */
  stopTimeoutMs: number;
  /** The worker exited without being asked to. Returns whether to start another. */
  shouldRestart: (exitCode: number | null) => boolean;
  restarted: (reason: string) => void;
  /** The process of a worker, as its lanes name it, has exited. */
  exited: (workerId: string) => void;
  /** The last metrics of a worker that has ended. */
  retired: (last: MetricValues | undefined) => void;
};

/** How many workers are running. */
export const readyWorkers = (slots: Pick<WorkerSlot, 'status'>[]): number =>
  slots.filter(({ status }) => status.state === 'running').length;

/** The pause before another try to replace a worker that must retire. */
const replaceAgainMs = 5_000;

/** Keeps one worker running: starts another one, after a pause, when it has exited. */
export class WorkerSlot {
  readonly #options: SlotOptions;
  readonly #drained = Promise.withResolvers<boolean>();
  /** Every worker of this slot that has not exited: the current one, its successor, and those that were replaced. */
  readonly #alive = new Set<WorkerProcess>();
  #current: WorkerProcess;
  #successor: WorkerProcess | undefined;
  #failures = 0;
  #restarts = 0;
  #draining = false;
  #isReplacing = false;
  #isClean = true;
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
    this.dropSuccessor();
    if (this.#alive.size === 0) this.#drained.resolve(true);
    for (const worker of this.#alive) worker.signal('SIGTERM');
    return this.#drained.promise;
  }

  kill(): void {
    for (const worker of this.#alive) worker.signal('SIGKILL');
  }

  async metrics(): Promise<MetricValues[]> {
    const values = await Promise.all([...this.#alive].map((worker) => worker.metrics()));
    return values.filter((value) => value !== undefined);
  }

  /** Starts a worker beside the current one, which goes on. Resolves with whether it has come up. */
  async startSuccessor(): Promise<boolean> {
    this.dropSuccessor();
    return this.#draining ? false : this.#startSuccessor().cameUp;
  }

  /** Whether it has come up and has not exited since. */
  get successorRuns(): boolean {
    return !!this.#successor && !this.#successor.hasExited && this.#successor.life.state === 'running';
  }

  /** The successor takes the place of the current worker, which hands its lanes over and exits. */
  promoteSuccessor(): void {
    const { clock, stopTimeoutMs } = this.#options;
    const replaced = this.#promote();
    if (!replaced) return;
    replaced.signal('SIGTERM');
    const cancelKill = clock.after(stopTimeoutMs, () => replaced.signal('SIGKILL'));
    void replaced.exited.then(cancelKill);
  }

  /** A successor owns no lanes before its state is running, and hardly any before the current worker hands them over. */
  dropSuccessor(): void {
    this.#successor?.signal('SIGTERM');
    this.#successor = undefined;
  }

  /** Tells the current worker. */
  tell(message: PrimaryMessage): void {
    this.#current.tell(message);
  }

  /** Returns the worker whose place the successor has taken; `undefined` when there is no successor. */
  #promote(): WorkerProcess | undefined {
    const replaced = this.#current;
    if (!this.#successor || this.#successor.hasExited) return undefined;
    this.#cancelRestart();
    this.#current = this.#successor;
    this.#successor = undefined;
    this.#failures = 0;
    return replaced;
  }

  /**
   * Only the end of its process ends a run in this worker, and the runs beside it must not be interrupted. When its successor runs, it
   * retires, however long that takes. It asks again and again: a successor may fail, or a reload may come first.
   */
  async #replace(worker: WorkerProcess): Promise<void> {
    const { clock, log, restarted } = this.#options;
    if (worker !== this.#current || this.#draining || this.#successor || this.#isReplacing) return;
    this.#isReplacing = true;
    log.warn({ workerPid: worker.pid }, 'a worker must retire: starting another one in its place');
    const successor = this.#startSuccessor();
    const isUp = await successor.cameUp;
    if (worker !== this.#current && this.#successor === successor) {
      // It has died and was started again: the new worker goes on.
      this.dropSuccessor();
    } else if (successor.wasSignalled) {
      log.info({ workerPid: worker.pid }, 'the successor of a worker that must retire was stopped');
    } else if (isUp && this.#promote()) {
      this.#restarts += 1;
      restarted('retired');
      worker.tell({ kind: 'replaced' });
    } else {
      log.error({ workerPid: worker.pid }, 'the successor of a worker that must retire did not come up');
      await sleep(clock, replaceAgainMs);
    }
    this.#isReplacing = false;
  }

  #startSuccessor(): WorkerProcess {
    const successor = this.#start();
    this.#successor = successor;
    return successor;
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #start(): WorkerProcess {
    const mustRetire = (worker: WorkerProcess) => void this.#replace(worker);
    const started = new WorkerProcess(this.#options.fork(), { ...this.#options, mustRetire });
    this.#alive.add(started);
    this.#options.log.info({ workerPid: started.pid }, 'worker started');
    void started.exited.then((exit) => this.#onExit(started, exit));
    void started.finalMetrics.then(this.#options.retired);
    return started;
  }

  #onExit(dead: WorkerProcess, { code, signal }: ChildExit): void {
    const { log, shouldRestart } = this.#options;
    const reason = dead.killedFor ?? 'died';
    const isCurrent = dead === this.#current;
    // Either signal ends a worker that does not listen to it yet. Ctrl-C sends SIGINT to the workers too.
    const wasStopped = code === 0 || signal === 'SIGTERM' || signal === 'SIGINT';
    const isClean = (this.#draining || !isCurrent) && wasStopped;
    this.#alive.delete(dead);
    if (dead === this.#successor) this.#successor = undefined;
    if (dead.workerId) this.#options.exited(dead.workerId);
    // A successor that never ran is the matter of the reload, which says that it failed.
    if (isClean || (!isCurrent && dead.life.state === 'starting'))
      log.info({ workerPid: dead.pid, code, signal }, 'worker exited');
    else log.error({ workerPid: dead.pid, code, signal, reason }, 'worker exited');
    if (isClean && mayBecome(dead.life.state, 'draining')) dead.life.become('draining');
    dead.life.become(isClean ? 'stopped' : 'failed');
    if (!this.#draining) {
      if (isCurrent && shouldRestart(code)) this.#restartLater(dead, reason);
      return;
    }
    this.#isClean &&= isClean;
    if (this.#alive.size === 0) this.#drained.resolve(this.#isClean);
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
