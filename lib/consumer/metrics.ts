/** Turns the events of one worker's lanes and runs into metrics and log lines. */

import { Registry } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import type { Clock, LaneObserver } from '../ports.ts';
import type { IsolationObserver } from '../runs/process-pool.ts';
import { type RunTrace, traceIdOf } from '../traceparent.ts';
import { createLaneNews } from './lane-news.ts';
import { createInstruments, type Instruments, registerGauges } from './metric-definitions.ts';

const secondsBetween = (from: Date, to: Date): number => Math.max(0, to.getTime() - from.getTime()) / 1_000;

/** With the token: a run of a lane that was lost may end beside the repeated run. */
const runKey = (run: { userId: string; seq: number; attempt: number; fencingToken: number }): string =>
  `${run.userId}:${run.seq}:${run.attempt}:${run.fencingToken}`;

const traceField = (trace: RunTrace | undefined) => trace && { trace: traceIdOf(trace.traceparent) };

type RunObserver = Pick<LaneObserver, 'runStarted' | 'runEnded'>;

const observeRuns = (
  instruments: Instruments,
  log: Logger,
  { monotonicMs }: Pick<Clock, 'monotonicMs'>,
): RunObserver => {
  const startedMs = new Map<string, number>();
  return {
    runStarted: ({ at, acceptedAt, trace, ...event }) => {
      startedMs.set(runKey(event), monotonicMs());
      if (event.attempt === 1) instruments.acceptedToStarted.observe(secondsBetween(acceptedAt, at));
      log.debug({ ...event, ...traceField(trace) }, 'run started');
    },
    runEnded: ({ at: _at, trace, ...event }) => {
      const key = runKey(event);
      const started = startedMs.get(key);
      startedMs.delete(key);
      if (started !== undefined) {
        instruments.run.observe({ outcome: event.outcome }, (monotonicMs() - started) / 1_000);
      }
      if (event.outcome === 'retry') instruments.retries.inc();
      // The process that ran it has logged its failure, with the error.
      log[event.outcome === 'aborted' ? 'warn' : 'debug']({ ...event, ...traceField(trace) }, 'run ended');
    },
  };
};

const observeLanes = (
  instruments: Instruments,
  log: Logger,
  lanesChanged: () => void,
): Omit<LaneObserver, keyof RunObserver> => ({
  laneTaken: ({ at: _at, ...event }) => {
    instruments.lanesTaken.inc();
    log.debug(event, 'lane acquired');
    lanesChanged();
  },
  laneReleased: ({ at: _at, ...event }) => {
    instruments.lanesReleased.inc({ reason: event.reason });
    log[event.reason === 'lost' ? 'warn' : 'debug'](event, 'lane released');
    lanesChanged();
  },
  runAskedToEnd: ({ at: _at, ...event }) => {
    log.info(event, 'run asked to end: an operator ended it');
  },
  runUnresponsive: ({ at: _at, ...event }) => {
    log.error(event, 'a run goes on against its signal; its user waits, and its slot goes to others');
  },
  settled: ({ at, acceptedAt, trace, ...event }) => {
    instruments.settled.inc({ status: event.status });
    // A tombstone was never accepted: its time means nothing.
    if (event.status !== 'abandoned') instruments.acceptedToSettled.observe(secondsBetween(acceptedAt, at));
    log.debug({ ...event, ...traceField(trace) }, 'request settled');
  },
  deadLettered: ({ at: _at, trace, ...known }) => {
    const event = { ...known, ...traceField(trace) };
    instruments.deadLetters.inc({ reason: event.reason });
    instruments[event.status === 'failed' ? 'failures' : 'blocked'].inc();
    // The line of its last run says so already, unless it had no end.
    if (event.reason === 'failed') log.debug(event, 'request dead-lettered');
    else if (event.reason === 'ended') log.warn(event, 'run ended by an operator');
    else logSampled(log, 'warn', event, `request dead-lettered: ${event.reason}`);
  },
  swept: ({ stuck }) => {
    if (stuck === 0) return;
    instruments.swept.inc(stuck);
    logSampled(log, 'warn', { stuck }, 'the sweep found stalled users');
  },
});

const observeIsolation = ({ isolated, crashes, rejections }: Instruments): IsolationObserver => ({
  rejected: (count) => rejections.inc(count),
  started: () => isolated.inc(),
  ended: (crashed) => {
    isolated.dec();
    if (crashed) crashes.inc();
  },
});

/** Pass these to the lanes and the runs. */
export type WorkerObservers = { observer: LaneObserver; isolationObserver: IsolationObserver };

export type WorkerMetrics = WorkerObservers & { registry: Registry };

type MetricsDeps = {
  clock: Pick<Clock, 'monotonicMs' | 'after'>;
  log: Logger;
  /** Called at every scrape. Returns `undefined` until the lanes exist. */
  snapshot: () => WorkerSnapshot | undefined;
};

export const createWorkerMetrics = ({ clock, log, snapshot }: MetricsDeps): WorkerMetrics => {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  const lanesChanged = createLaneNews({ clock, log, lanesOwned: () => snapshot()?.lanesOwned ?? 0 });
  registerGauges(registry, snapshot);
  return {
    registry,
    observer: { ...observeRuns(instruments, log, clock), ...observeLanes(instruments, log, lanesChanged) },
    isolationObserver: observeIsolation(instruments),
  };
};
