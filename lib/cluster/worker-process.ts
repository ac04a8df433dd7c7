/** One worker process as the primary sees it, from its fork to its exit. */
import type { Worker } from 'node:cluster';
import type { Config } from '../config.ts';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { type ChildExit, SupervisedChild } from '../runs/supervised-child.ts';
import { withTimeout } from '../timeout.ts';
import { createLifecycle, type Lifecycle, type LifecycleState, mayBecome } from './lifecycle.ts';
import { isWorkerMessage, type MetricValues, type PrimaryMessage } from './messages.ts';

export type WorkerProcessOptions = {
  config: Pick<Config, 'workerHangMs' | 'startTimeoutMs'> & Partial<Pick<Config, 'processor'>>;
  clock: Pick<Clock, 'after' | 'monotonicMs'>;
  log: Logger;
  /** The state of the worker has changed. */
  changed: (state: LifecycleState) => void;
  /** A worker has reported: its snapshot is new. */
  reported: () => void;
  /** Only the end of its process ends a run in it: another worker should take its place. */
  mustRetire: (worker: WorkerProcess) => void;
};

const metricsTimeoutMs = 1_000;

export class WorkerProcess {
  readonly pid: number | undefined;
  readonly life: Lifecycle;
  readonly startedAtMs: number;
  readonly exited: Promise<ChildExit>;
  /** Resolves with whether it has come up: true when it runs, false when it has exited before. */
  readonly cameUp: Promise<boolean>;
  /** Resolves with the newest metrics of the worker, when no more will come. */
  readonly finalMetrics: Promise<MetricValues | undefined>;
  readonly #worker: Worker;
  readonly #supervised: SupervisedChild;
  readonly #options: WorkerProcessOptions;
  #snapshot: WorkerSnapshot | undefined;
  #metrics: MetricValues | undefined;
  #hasExited = false;
  #wasSignalled = false;
  #metricsArrival = Promise.withResolvers<void>();

  constructor(worker: Worker, options: WorkerProcessOptions) {
    const { config, clock, changed } = options;
    this.#worker = worker;
    this.#options = options;
    this.pid = worker.process.pid;
    const cameUp = Promise.withResolvers<boolean>();
    this.cameUp = cameUp.promise;
    this.life = createLifecycle((to) => {
      if (to === 'running') cameUp.resolve(true);
      changed(to);
    });
    this.startedAtMs = clock.monotonicMs();
    this.#supervised = new SupervisedChild(worker.process, {
      ...config,
      clock,
      onSilent: (verdict, silentMs) => this.#logKill(verdict, silentMs),
    });
    worker.on('message', (message: unknown) => this.#hear(message));
    worker.on('error', (err) =>
      options.log.warn(
        { err },
        this.pid === undefined ? 'a worker could not be spawned' : 'the channel to a worker broke',
      ),
    );
    this.exited = this.#supervised.exited.then((exit) => {
      this.#hasExited = true;
      this.#metricsArrival.resolve();
      cameUp.resolve(false);
      return exit;
    });
    this.finalMetrics = this.#supervised.disconnected.then(() => {
      const last = this.#metrics;
      this.#metrics = undefined;
      return last;
    });
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Whether its slot has sent it a signal: it may exit. */
  get wasSignalled(): boolean {
    return this.#wasSignalled;
  }

  /** Why the primary killed it, if it did. */
  get killedFor(): string | undefined {
    return this.#supervised.killedFor;
  }

  get snapshot(): WorkerSnapshot | undefined {
    return this.#hasExited ? undefined : this.#snapshot;
  }

  /** As its lanes name it; `undefined` until it has reported them. */
  get workerId(): string | undefined {
    return this.#snapshot?.workerId;
  }

  tell(message: PrimaryMessage): void {
    if (!this.#hasExited && this.#worker.isConnected()) this.#worker.send(message, () => {});
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#hasExited) return;
    this.#wasSignalled = true;
    this.#worker.process.kill(name);
  }

  /** The worker's metrics, or the ones before when it does not answer within a second. */
  metrics(): Promise<MetricValues | undefined> {
    // The metrics of a worker that has exited are retired: to return them here too would count them twice.
    if (this.#hasExited) return Promise.resolve(undefined);
    const isReachable = this.#supervised.heardOnce && this.#worker.isConnected();
    return isReachable ? this.#askForMetrics() : Promise.resolve(this.#metrics);
  }

  #hear(message: unknown): void {
    if (!isWorkerMessage(message)) return;
    this.#supervised.heard();
    if (message.kind === 'metrics') {
      this.#metrics = message.metrics;
      this.#metricsArrival.resolve();
      this.#metricsArrival = Promise.withResolvers();
      return;
    }
    if (message.state !== 'starting') this.#supervised.cameUp();
    this.#snapshot = message.snapshot;
    this.#options.reported();
    if (message.mustRetire) this.#options.mustRetire(this);
    // The final state comes from the exit, not from the worker.
    if (['running', 'draining'].includes(message.state) && mayBecome(this.life.state, message.state)) {
      this.life.become(message.state);
    }
  }

  #logKill(verdict: 'hung' | 'never-came-up', silentMs: number): void {
    const { config, log } = this.#options;
    const { processor, startTimeoutMs } = config;
    const hung = { workerPid: this.pid, verdict, silentMs: Math.round(silentMs) };
    const late = processor
      ? 'killing a worker whose processor did not load within START_TIMEOUT_MS'
      : 'killing a worker that did not come up in time';
    if (verdict === 'hung') log.error(hung, 'killing an unresponsive worker');
    else log.error({ workerPid: this.pid, verdict, processor, startTimeoutMs }, late);
  }

  async #askForMetrics(): Promise<MetricValues | undefined> {
    const arrival = this.#metricsArrival.promise;
    this.tell({ kind: 'send-metrics' });
    await withTimeout(this.#options.clock, metricsTimeoutMs, arrival, () => undefined);
    return this.#metrics;
  }
}
