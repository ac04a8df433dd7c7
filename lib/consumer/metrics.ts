import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/lane-worker.ts';
import type { Logger } from '../log.ts';
import type { Clock, LaneObserver } from '../ports.ts';
import type { IsolationObserver } from '../runs/isolation.ts';
import { createLaneNews } from './lane-news.ts';

const latencySeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];
const runSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

const secondsBetween = (from: Date, to: Date): number => Math.max(0, to.getTime() - from.getTime()) / 1_000;

const createInstruments = (registers: Registry[]) => ({
  acceptedToStarted: new Histogram({
    name: 'lanekeeper_accepted_to_started_seconds',
    help: 'From the acceptance of a request to the start of its first run',
    buckets: latencySeconds,
    registers,
  }),
  acceptedToSettled: new Histogram({
    name: 'lanekeeper_accepted_to_settled_seconds',
    help: 'From the acceptance of a request to the record of its outcome',
    buckets: latencySeconds,
    registers,
  }),
  run: new Histogram({
    name: 'lanekeeper_run_seconds',
    help: 'Run time of the processor, by how the run ended',
    labelNames: ['outcome'],
    buckets: runSeconds,
    registers,
  }),
  settled: new Counter({
    name: 'lanekeeper_settled_total',
    help: 'Requests settled, by status',
    labelNames: ['status'],
    registers,
  }),
  retries: new Counter({ name: 'lanekeeper_retries_total', help: 'Runs that failed and will be repeated', registers }),
  failures: new Counter({
    name: 'lanekeeper_failures_total',
    help: 'Runs that failed for good, without another attempt',
    registers,
  }),
  blocked: new Counter({
    name: 'lanekeeper_blocked_total',
    help: 'Requests that were put aside and hold their user until a person decides',
    registers,
  }),
  deadLetters: new Counter({
    name: 'lanekeeper_dead_letters_total',
    help: 'Requests put aside, by reason',
    labelNames: ['reason'],
    registers,
  }),
  crashes: new Counter({
    name: 'lanekeeper_crashes_total',
    help: 'Isolated runs that ended their process, or made the worker end it',
    registers,
  }),
  isolated: new Gauge({
    name: 'lanekeeper_isolated_runs',
    help: 'Runs that have a process of their own now',
    registers,
  }),
  lanesTaken: new Counter({ name: 'lanekeeper_lanes_taken_total', help: 'Take-overs of a lane', registers }),
  lanesReleased: new Counter({
    name: 'lanekeeper_lanes_released_total',
    help: 'Lanes given up, by reason',
    labelNames: ['reason'],
    registers,
  }),
  swept: new Counter({
    name: 'lanekeeper_swept_users_total',
    help: 'Users without progress that a sweep woke',
    registers,
  }),
});

/** `max` where workers may speak of the same thing, or where only the worst counts; else the workers are added up. */
const registerGauges = (registers: Registry[], snapshot: () => WorkerSnapshot | undefined): void => {
  const gauge = (name: string, help: string, aggregator: 'sum' | 'max', value: (snapshot: WorkerSnapshot) => number) =>
    new Gauge({
      name,
      help,
      aggregator,
      registers,
      collect() {
        const current = snapshot();
        this.set(current ? value(current) : 0);
      },
    });
  gauge('lanekeeper_in_flight', 'Requests that run now', 'sum', (s) => s.inFlight);
  gauge('lanekeeper_lanes_owned', 'Lanes owned', 'sum', (s) => s.lanesOwned);
  gauge('lanekeeper_users_loaded', 'Users whose queue is open at a worker', 'sum', (s) => s.usersLoaded);
  gauge(
    'lanekeeper_oldest_pending_age_seconds',
    'Age of the oldest request that is not settled',
    'max',
    (s) => s.oldestPendingAgeMs / 1_000,
  );
  gauge('lanekeeper_stuck_users', 'Users with pending work and no progress', 'max', (s) => s.stuckUsers);
};

type Instruments = ReturnType<typeof createInstruments>;

/** A run's name: an old run of a lane that was lost may still end beside the new one. */
const runKey = (run: { userId: string; seq: number; attempt: number; fencingToken: number }): string =>
  `${run.userId}:${run.seq}:${run.attempt}:${run.fencingToken}`;

const createObserver = (instruments: Instruments, log: Logger, lanesChanged: () => void): LaneObserver => {
  const startedAt = new Map<string, Date>();
  return {
    laneTaken: ({ at: _at, ...event }) => {
      instruments.lanesTaken.inc();
      log.debug(event, 'lane taken');
      lanesChanged();
    },
    laneReleased: ({ at: _at, ...event }) => {
      instruments.lanesReleased.inc({ reason: event.reason });
      log[event.reason === 'lost' ? 'warn' : 'debug'](event, 'lane released');
      lanesChanged();
    },
    runStarted: ({ at, acceptedAt, ...event }) => {
      startedAt.set(runKey(event), at);
      if (event.attempt === 1) instruments.acceptedToStarted.observe(secondsBetween(acceptedAt, at));
      log.debug(event, 'run started');
    },
    runEnded: ({ at, ...event }) => {
      const started = startedAt.get(runKey(event));
      startedAt.delete(runKey(event));
      if (started) instruments.run.observe({ outcome: event.outcome }, secondsBetween(started, at));
      if (event.outcome === 'retry') instruments.retries.inc();
      log[event.outcome === 'done' ? 'debug' : 'warn'](event, 'run ended');
    },
    settled: ({ at, acceptedAt, ...event }) => {
      instruments.settled.inc({ status: event.status });
      // A tombstone was never accepted: its time would say nothing.
      if (event.status !== 'abandoned') instruments.acceptedToSettled.observe(secondsBetween(acceptedAt, at));
      log.debug(event, 'settled');
    },
    deadLettered: ({ at: _at, ...event }) => {
      instruments.deadLetters.inc({ reason: event.reason });
      instruments[event.status === 'failed' ? 'failures' : 'blocked'].inc();
      log.debug(event, 'dead-lettered');
    },
    swept: ({ stuck }) => {
      if (stuck === 0) return;
      instruments.swept.inc(stuck);
      log.warn({ stuck }, 'woke users without progress');
    },
  };
};

const createIsolationObserver = ({ isolated, crashes }: Instruments): IsolationObserver => ({
  started: () => isolated.inc(),
  ended: (crashed) => {
    isolated.dec();
    if (crashed) crashes.inc();
  },
});

export type WorkerMetrics = {
  registry: Registry;
  /** Feed the metrics and the log from what the lanes and the runs tell. */
  observer: LaneObserver;
  isolationObserver: IsolationObserver;
};

type MetricsDeps = {
  clock: Pick<Clock, 'after'>;
  log: Logger;
  /** Asked at every scrape; `undefined` before the lanes are there. */
  snapshot: () => WorkerSnapshot | undefined;
};

/** The metrics of one worker. */
export const createWorkerMetrics = ({ clock, log, snapshot }: MetricsDeps): WorkerMetrics => {
  const registry = new Registry();
  const instruments = createInstruments([registry]);
  const lanesChanged = createLaneNews({ clock, log, lanesOwned: () => snapshot()?.lanesOwned ?? 0 });
  registerGauges([registry], snapshot);
  return {
    registry,
    observer: createObserver(instruments, log, lanesChanged),
    isolationObserver: createIsolationObserver(instruments),
  };
};
