import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/lane-worker.ts';
import type { LifecycleState } from './lifecycle.ts';

export type MetricValues = MetricObjectWithValues<MetricValue<string>>[];

/** Worker to primary. A report says that the event loop turns; `metrics` answers, or says sendFinalReport. */
export type WorkerMessage =
  | { kind: 'report'; state: LifecycleState; snapshot?: WorkerSnapshot }
  | { kind: 'metrics'; metrics: MetricValues };

/** Primary to worker. */
export type PrimaryMessage = { kind: 'send-metrics' };

/** User code may send messages of its own over the same channel: those are none of ours. */
const kindOf = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;

export const isWorkerMessage = (message: unknown): message is WorkerMessage =>
  ['report', 'metrics'].includes(kindOf(message) as string);

export const isPrimaryMessage = (message: unknown): message is PrimaryMessage => kindOf(message) === 'send-metrics';
