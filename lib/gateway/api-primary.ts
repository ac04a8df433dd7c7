/** The primary of the API's workers: it starts them, replaces those that die, and shows the metrics of all. */
import nodeCluster from 'node:cluster';
import { systemClock as clock } from '../clock.ts';
import { apiWorkerEnv } from '../cluster/api-workers.ts';
import { type ClusterMetrics, createClusterMetrics } from '../cluster/cluster-metrics.ts';
import { createEnding } from '../cluster/ending.ts';
import { createLifecycle } from '../cluster/lifecycle.ts';
import { exitCodes } from '../cluster/messages.ts';
import { readyWorkers, type SlotOptions, WorkerSlot } from '../cluster/worker-slot.ts';
import type { FunctionDeps } from '../deps.ts';
import { exitMarginMs } from '../limits.ts';
import { workerHangMs } from './api-worker.ts';
import { serveMetrics } from './serve-metrics.ts';

/** Loading the functions, and opening the port. */
const startTimeoutMs = 60_000;

type PrimaryOptions = Pick<FunctionDeps, 'config' | 'log'> & {
  /** The program of the workers. */
  script: string;
};

const serveAll = async (
  { config, log }: PrimaryOptions,
  slots: WorkerSlot[],
  { render, contentType }: ClusterMetrics,
): Promise<() => void> => {
  if (config.apiMetricsPort === undefined) return () => undefined;
  const metrics = async () => render((await Promise.all(slots.map((slot) => slot.metrics()))).flat());
  return serveMetrics({ config, log, port: config.apiMetricsPort }, metrics, contentType);
};

/**
 * Runs `config.apiWorkers` processes of `script` until SIGTERM or SIGINT; a second signal kills them. Resolves with the exit code when
 * all have exited: 0 after a clean shutdown.
 *
 * @throws {CannotListenError} when the port of `/metrics` is taken.
 */
export const runApiPrimary = async (options: PrimaryOptions): Promise<number> => {
  const { config, script } = options;
  const log = options.log.child({ pid: process.pid });
  const slots: WorkerSlot[] = [];
  const life = createLifecycle((to) => log.info({ state: to, workers: config.apiWorkers }, `API ${to}`));
  const metrics = createClusterMetrics('api', () => readyWorkers(slots));
  const closeMetrics = await serveAll(options, slots, metrics);
  const ending = createEnding({ config, clock, log }, { slots, life });
  nodeCluster.setupPrimary({ exec: script });

  const shared: Omit<SlotOptions, 'slot'> = {
    config: { workerHangMs, startTimeoutMs },
    stopTimeoutMs: config.graceMs + exitMarginMs,
    fork: () => nodeCluster.fork(apiWorkerEnv),
    clock,
    log,
    changed: (state) => {
      if (state !== 'running' || life.state !== 'starting') return;
      life.become('running');
      // What keeps the first one from starting is told once.
      while (slots.length < config.apiWorkers) slots.push(new WorkerSlot({ slot: slots.length, ...shared }));
    },
    reported: () => undefined,
    shouldRestart: (exitCode) => {
      if (exitCode === exitCodes.nonRestartable && readyWorkers(slots) === 0) void ending.drain('failed');
      return ['starting', 'running'].includes(life.state);
    },
    restarted: metrics.workerRestarted,
    exited: () => undefined,
    retired: metrics.retire,
  };
  slots.push(new WorkerSlot({ slot: 0, ...shared }));

  const exitCode = await ending.ended;
  closeMetrics();
  return exitCode;
};
