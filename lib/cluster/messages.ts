import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { LifecycleState } from './lifecycle.ts';

export type MetricValues = MetricObjectWithValues<MetricValue<string>>[];

/** How a worker ends. The primary starts another one, unless no other runs and a restart cannot help: 78 is `EX_CONFIG` of sysexits.h. */
export const exitCodes = { stopped: 0, failed: 1, nonRestartable: 78 } as const;

/**
 * Worker to primary. A `report` shows that the event loop turns. `mustRetire`: only the end of this process ends a run in it; another
 * worker should take its place. `metrics` is an answer, or the final report.
 */
export type WorkerMessage =
  | { kind: 'report'; state: LifecycleState; snapshot?: WorkerSnapshot; mustRetire?: boolean }
  | { kind: 'metrics'; metrics: MetricValues };

/**
 * Primary to worker. `begin`: a spare process starts to work. `replaced`: a worker that must retire has a successor, which runs.
 * `worker-gone`: the process of another worker has exited.
 */
export type PrimaryMessage =
  | { kind: 'begin' }
  | { kind: 'send-metrics' }
  | { kind: 'replaced' }
  | { kind: 'worker-gone'; workerId: string };

/** User code may send its own messages over the same channel: they are ignored. */
const kindOf = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;

export const isWorkerMessage = (message: unknown): message is WorkerMessage =>
  ['report', 'metrics'].includes(kindOf(message) as string);

export const isPrimaryMessage = (message: unknown): message is PrimaryMessage =>
  ['begin', 'send-metrics', 'replaced', 'worker-gone'].includes(kindOf(message) as string);
