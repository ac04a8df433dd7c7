/** What a primary itself counts. A test compares the names with the documentation. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { fromZero, registerBuildInfo } from '../process-metrics.ts';

/** Whose workers they are. */
export type ClusterKind = 'consumer' | 'api';

const names = {
  consumer: { ready: 'lanekeeper_workers_ready', restarts: 'lanekeeper_worker_restarts_total' },
  api: { ready: 'lanekeeper_api_workers_ready', restarts: 'lanekeeper_api_worker_restarts_total' },
} as const;

/** Why the primary started a worker in place of another one. */
const restartReasons: Record<ClusterKind, string[]> = {
  consumer: ['died', 'hung', 'never-came-up', 'retired'],
  api: ['died', 'hung', 'never-came-up'],
};

/** @param readyWorkers called at every scrape. @returns the counter of restarts. */
export const registerPrimaryMetrics = (
  registry: Registry,
  kind: ClusterKind,
  readyWorkers: () => number,
): Counter<'reason'> => {
  const { ready, restarts } = names[kind];
  new Gauge({
    name: ready,
    help: 'Workers in the state running',
    registers: [registry],
    collect() {
      this.set(readyWorkers());
    },
  });
  registerBuildInfo(registry);
  const counter = new Counter({
    name: restarts,
    help: 'Workers started in place of one that exited, by reason',
    labelNames: ['reason'],
    registers: [registry],
  });
  return fromZero(counter, 'reason', restartReasons[kind]);
};
