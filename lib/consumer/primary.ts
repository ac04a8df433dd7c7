import cluster from 'node:cluster';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { decideOnSignal, reportEveryMs } from '../runs/supervision.ts';
import { type ClusterMetrics, createClusterMetrics } from './cluster-metrics.ts';
import { type Endpoints, openEndpoints } from './endpoints.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { exitCodes } from './messages.ts';
import { openWorkerSlot, type WorkerSlot } from './worker-slot.ts';

/** Past `graceMs` a worker still aborts its runs, closes its connections and exits; then it is killed. */
const exitMarginMs = 3_000;
/** Loading the modules of a worker takes a second, and much longer where many start at once on a busy machine. */
const defaultStartTimeoutMs = 20_000;

export type PrimaryOptions = {
  config: Pick<Config, 'workers' | 'workerHangMs' | 'graceMs' | 'metricsHost' | 'metricsPort'>;
  clock: Pick<Clock, 'now' | 'after'>;
  log: Logger;
  /** What the workers run. */
  script: string;
  startTimeoutMs?: number;
};

type Cluster = { slots: WorkerSlot[]; life: Lifecycle; metrics: ClusterMetrics };

const readyWorkers = (slots: WorkerSlot[]): number => slots.filter((slot) => slot.status().state === 'running').length;

const serve = ({ config, log }: PrimaryOptions, { slots, life, metrics }: Cluster): Promise<Endpoints> =>
  openEndpoints({
    host: config.metricsHost,
    port: config.metricsPort,
    log,
    health: () => ({
      healthy: readyWorkers(slots) > 0,
      body: { state: life.state, workers: slots.map((slot) => slot.status()) },
    }),
    metrics: async () => {
      const values = await Promise.all(slots.map((slot) => slot.metrics()));
      return metrics.render(values.filter((value) => value !== undefined));
    },
    metricsType: metrics.contentType,
  });

/** Ends the workers: in order while there is time, by SIGKILL after it. */
const createEnding = ({ config, clock, log }: PrimaryOptions, { slots, life }: Cluster) => {
  const ended = Promise.withResolvers<number>();
  let drainingSince: number | undefined;

  const end = (state: 'stopped' | 'failed') => {
    if (['stopped', 'failed'].includes(life.state)) return;
    life.become(state);
    ended.resolve(state === 'stopped' ? 0 : 1);
  };
  const killAll = () => {
    for (const slot of slots) slot.kill();
  };
  const drain = async (otherwise?: 'failed') => {
    if (drainingSince !== undefined) return;
    drainingSince = clock.now().getTime();
    life.become('draining');
    const cancelKill = clock.after(config.graceMs + exitMarginMs, () => {
      log.error({ graceMs: config.graceMs }, 'workers did not end in time: killing them');
      killAll();
    });
    const inOrder = await Promise.all(slots.map((slot) => slot.drain()));
    cancelKill();
    end(otherwise ?? (inOrder.every(Boolean) ? 'stopped' : 'failed'));
  };
  const onSignal = (signal: NodeJS.Signals) => {
    const drainingForMs = drainingSince === undefined ? undefined : clock.now().getTime() - drainingSince;
    const verdict = decideOnSignal(drainingForMs);
    log.info({ signal, verdict }, 'signal');
    if (verdict === 'drain') void drain();
    if (verdict !== 'end-now') return;
    killAll();
    end('failed');
  };
  return { ended: ended.promise, drain, onSignal };
};

/** Looks at the workers again and again, until the returned function is called. */
const watch = ({ config, clock }: PrimaryOptions, slots: WorkerSlot[]): (() => void) => {
  let cancel = () => {};
  let lastLook = performance.now();
  const look = () => {
    const now = performance.now();
    for (const slot of slots) slot.look(now - lastLook);
    lastLook = now;
    cancel = clock.after(reportEveryMs(config.workerHangMs), look);
  };
  look();
  return () => cancel();
};

/**
 * Runs `config.workers` processes of `script` until SIGTERM or SIGINT; a second signal kills them. Resolves with the exit code
 * once all have ended: 0 when they stopped in order.
 *
 * @throws {CannotListenError} when the port of `/healthz` and `/metrics` is taken.
 */
export const runPrimary = async (options: PrimaryOptions): Promise<number> => {
  const { config, clock, log, script, startTimeoutMs = defaultStartTimeoutMs } = options;
  const slots: WorkerSlot[] = [];
  const life = createLifecycle((to) => log.info({ state: to, workers: config.workers }, `consumer ${to}`));
  const metrics = createClusterMetrics(() => readyWorkers(slots));
  const endpoints = await serve(options, { slots, life, metrics });
  log.info({ host: config.metricsHost, port: endpoints.port }, 'serving /healthz and /metrics');
  const ending = createEnding(options, { slots, life, metrics });

  const shouldRestart = (exitCode: number | null): boolean => {
    if (exitCode === exitCodes.nonRestartable) void ending.drain('failed');
    return life.state === 'starting' || life.state === 'running';
  };
  cluster.setupPrimary({ exec: script });
  for (let slot = 0; slot < config.workers; slot += 1) {
    slots.push(
      openWorkerSlot({
        slot,
        workerHangMs: config.workerHangMs,
        startTimeoutMs,
        fork: () => cluster.fork(),
        clock,
        log,
        changed: (state) => {
          if (state === 'running' && life.state === 'starting') life.become('running');
        },
        shouldRestart,
        restarted: metrics.workerRestarted,
        retired: metrics.retire,
      }),
    );
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, ending.onSignal);
  const stopWatching = watch(options, slots);

  const exitCode = await ending.ended;
  stopWatching();
  endpoints.close();
  return exitCode;
};
