import nodeCluster from 'node:cluster';
import { type ClusterMetrics, createClusterMetrics } from '../cluster/cluster-metrics.ts';
import { createEnding, type Ending } from '../cluster/ending.ts';
import { createLifecycle, type Lifecycle } from '../cluster/lifecycle.ts';
import { exitCodes } from '../cluster/messages.ts';
import { createSpareWorkers, type SpareWorkers } from '../cluster/spare-workers.ts';
import { readyWorkers, type SlotStatus, WorkerSlot } from '../cluster/worker-slot.ts';
import type { Config } from '../config.ts';
import { type Endpoints, openEndpoints } from '../endpoints.ts';
import { exitMarginMs } from '../limits.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import type { Clock } from '../ports.ts';
import { backlogOf } from './backlog.ts';
import { logBacklog } from './log-backlog.ts';
import { UnownedLanes } from './readiness.ts';
import { createReload } from './reload.ts';
import { protectLongRuns } from './task-protection.ts';

export type PrimaryOptions = {
  config: Pick<
    Config,
    | 'workers'
    | 'spareWorkers'
    | 'processor'
    | 'workerHangMs'
    | 'startTimeoutMs'
    | 'graceMs'
    | 'metricsHost'
    | 'metricsPort'
    | 'unhealthyAfterMs'
    | 'emfNamespace'
  >;
  clock: Pick<Clock, 'monotonicMs' | 'after'>;
  log: Logger;
  /** The program of the workers. */
  script: string;
  /** Called when the first worker runs. */
  running?: () => void;
  /** `ECS_AGENT_URI`: set by ECS, in a container of its own. */
  ecsAgentUri?: string | undefined;
};

type Cluster = {
  slots: WorkerSlot[];
  spares: SpareWorkers;
  life: Lifecycle;
  metrics: ClusterMetrics;
  unowned: UnownedLanes;
};

const ownerTexts = { away: 'lanes have no owner', back: 'every lane has an owner again' };

/** Why the consumer is not ready; `undefined` when it is. */
const unreadiness = (
  { slots, unowned }: Cluster,
  { unhealthyAfterMs }: PrimaryOptions['config'],
): string | undefined => (readyWorkers(slots) === 0 ? 'no worker is running' : unowned.complaint(unhealthyAfterMs));

/** The consumer works without them, but the API refuses calls. `undefined` when none are missing. */
const missingIn = (workers: SlotStatus[]): string[] | undefined => {
  const titles = new Set(workers.flatMap(({ snapshot }) => snapshot?.missingIndexes ?? []));
  return titles.size > 0 ? [...titles].sort() : undefined;
};

const backlogIn =
  ({ slots }: Cluster) =>
  () =>
    backlogOf(slots.map(({ status }) => status));

const oldestRunMs = (slots: WorkerSlot[]): number =>
  Math.max(0, ...slots.map(({ status }) => status.snapshot?.oldestRunMs ?? 0));

const serve = ({ config, log }: PrimaryOptions, cluster: Cluster): Promise<Endpoints> =>
  openEndpoints({
    host: config.metricsHost,
    port: config.metricsPort,
    portSetting: 'METRICS_PORT',
    log,
    probes: {
      health: () => {
        const reason = unreadiness(cluster, config);
        const { life, slots } = cluster;
        const workers = slots.map(({ status }) => status);
        const missingIndexes = missingIn(workers);
        return { healthy: !reason, body: { state: life.state, reason, pid: process.pid, missingIndexes, workers } };
      },
      state: () => cluster.life.state,
      backlog: backlogIn(cluster),
    },
    metrics: async () => {
      const values = await Promise.all(cluster.slots.map((slot) => slot.metrics()));
      return cluster.metrics.render(values.flat());
    },
    metricsType: cluster.metrics.contentType,
  });

/** Call it after each report of a worker: it logs when lanes have no owner for too long, and when that is over. */
const watchOwners = ({ config, log }: PrimaryOptions, { slots, unowned }: Cluster): (() => void) => {
  const outages = watchOutages(log, ownerTexts);
  return () => {
    unowned.note(slots.map(({ status }) => status.snapshot));
    const complaint = unowned.complaint(config.unhealthyAfterMs);
    if (complaint) outages.failed(new Error(complaint));
    else outages.succeeded();
  };
};

const openSlots = (options: PrimaryOptions, cluster: Cluster, ending: Ending): void => {
  const { slots, spares, life, metrics } = cluster;
  const { config, clock, log, script } = options;
  nodeCluster.setupPrimary({ exec: script });
  const shared = {
    config,
    stopTimeoutMs: config.graceMs + exitMarginMs,
    fork: spares.take,
    clock,
    log,
    changed: (state: string) => {
      if (state !== 'running') return;
      if (life.state === 'starting') life.become('running');
      if (life.state === 'running') spares.replenish();
    },
    reported: watchOwners(options, cluster),
    shouldRestart: (exitCode: number | null) => {
      // After a failed reload the file on disk is broken, and the other workers still run good code: they must not stop for it.
      if (exitCode === exitCodes.nonRestartable && readyWorkers(slots) === 0) void ending.drain('failed');
      return life.state === 'starting' || life.state === 'running';
    },
    restarted: metrics.workerRestarted,
    exited: (workerId: string) => {
      for (const slot of slots) slot.tell({ kind: 'worker-gone', workerId });
    },
    retired: metrics.retire,
  };
  for (let slot = 0; slot < config.workers; slot += 1) slots.push(new WorkerSlot({ slot, ...shared }));
};

/**
 * Runs `config.workers` processes of `script` until SIGTERM or SIGINT; a second signal kills them. At SIGUSR2 new processes take
 * their place. Resolves with the exit code when all have exited: 0 after a clean shutdown.
 *
 * @throws {CannotListenError} when the port of `/healthz` and `/metrics` is taken.
 */
export const runPrimary = async (options: PrimaryOptions): Promise<number> => {
  const { config, log } = options;
  const slots: WorkerSlot[] = [];
  const spares = createSpareWorkers({ ...options, count: config.spareWorkers, fork: (env) => nodeCluster.fork(env) });
  const life = createLifecycle((to) => {
    log.info({ state: to, workers: config.workers }, `consumer ${to}`);
    if (to === 'running') options.running?.();
    if (to === 'draining') spares.end();
  });
  const metrics = createClusterMetrics('consumer', () => readyWorkers(slots));
  const cluster = { slots, spares, life, metrics, unowned: new UnownedLanes(options.clock) };
  const endpoints = await serve(options, cluster);
  log.info({ host: config.metricsHost, port: endpoints.port }, 'serving /healthz and /metrics');
  const ending = createEnding(options, cluster);
  openSlots(options, cluster, ending);
  protectLongRuns(options.ecsAgentUri, () => oldestRunMs(slots), options);
  process.on(
    'SIGUSR2',
    createReload({ ...options, slots, isEnding: () => !['starting', 'running'].includes(life.state) }),
  );

  const stopLogging = logBacklog(options, backlogIn(cluster));
  const exitCode = await ending.ended;
  stopLogging();
  endpoints.close();
  return exitCode;
};
