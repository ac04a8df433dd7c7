import { AggregatorRegistry, Counter, Gauge, type PrometheusContentType, Registry } from 'prom-client';
import type { MetricValues } from './messages.ts';

export type ClusterMetrics = {
  workerRestarted(reason: string): void;
  /** Keeps what an ended worker had counted: a counter that falls reads as a restart of everything. */
  retire(last: MetricValues | undefined): void;
  /** Prometheus text of all workers, the ended ones and the primary. */
  render(workers: MetricValues[]): Promise<string>;
  readonly contentType: string;
};

const aggregate = (parts: MetricValues[]) => AggregatorRegistry.aggregate<PrometheusContentType>(parts);

/** prom-client's types number the kinds of metrics; its values spell them out. */
const neverFalls = (metric: MetricValues[number]): boolean =>
  ['counter', 'histogram'].includes(metric.type as unknown as string);

/**
 * The metrics of the whole cluster. prom-client's own collection over node:cluster gives up as a whole when one worker is late,
 * and forgets the dead; so the values travel in our messages, and only the arithmetic is prom-client's.
 *
 * @param readyWorkers asked at every scrape.
 */
export const createClusterMetrics = (readyWorkers: () => number): ClusterMetrics => {
  const own = new Registry();
  const restarts = new Counter({
    name: 'lanekeeper_worker_restarts_total',
    help: 'Workers started in place of one that ended, by why it ended',
    labelNames: ['reason'],
    registers: [own],
  });
  new Gauge({
    name: 'lanekeeper_workers_ready',
    help: 'Workers that are running',
    registers: [own],
    collect() {
      this.set(readyWorkers());
    },
  });
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
