import { AggregatorRegistry, type PrometheusContentType, Registry } from 'prom-client';
import type { MetricValues } from './messages.ts';
import { type ClusterKind, registerPrimaryMetrics } from './primary-metrics.ts';

export type ClusterMetrics = {
  workerRestarted(reason: string): void;
  /** Keeps the counts of a worker that has ended: Prometheus would read a falling counter as a restart of everything. */
  retire(last: MetricValues | undefined): void;
  /** Prometheus text: all workers, the ended ones included, and the primary. */
  render(workers: MetricValues[]): Promise<string>;
  readonly contentType: string;
};

const aggregate = (parts: MetricValues[]) => AggregatorRegistry.aggregate<PrometheusContentType>(parts);

/** In prom-client's types a metric's type is a number; in its values it is a word. */
const neverFalls = (metric: MetricValues[number]): boolean =>
  ['counter', 'histogram'].includes(metric.type as unknown as string);

/**
 * The metrics of the whole cluster. prom-client's own collection over node:cluster fails as a whole when one worker is late, and
 * forgets dead workers. So the values travel in our messages, and prom-client only adds them up.
 *
 * @param readyWorkers called at every scrape.
 */
export const createClusterMetrics = (kind: ClusterKind, readyWorkers: () => number): ClusterMetrics => {
  const own = new Registry();
  const restarts = registerPrimaryMetrics(own, kind, readyWorkers);
  let retired: Promise<MetricValues> = Promise.resolve([]);

  return {
    contentType: own.contentType,
    workerRestarted: (reason) => restarts.inc({ reason }),
    retire: (last) => {
      if (!last) return;
      retired = retired.then((before) => aggregate([before, last.filter(neverFalls)]).getMetricsAsJSON());
    },
    render: async (workers) => aggregate([...workers, await retired, await own.getMetricsAsJSON()]).metrics(),
  };
};
