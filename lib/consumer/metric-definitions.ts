/** All metrics: those of each worker, and those of the primary. A test compares their names with the documentation. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import { laneReleaseReasons, runOutcomes } from '../ports.ts';
import { fromZero, registerEventLoopLag, registerServersUp } from '../process-metrics.ts';
import { deadLetterReasons, settledStatuses } from '../types.ts';

const latencySeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];
const runSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export type Instruments = ReturnType<typeof createInstruments>;

export const createInstruments = (registry: Registry) => {
  const registers = [registry];
  const counter = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ) => new Histogram({ name, help, buckets, labelNames, registers });

  const run = histogram('lanekeeper_run_seconds', 'Run time of the processor, by outcome', runSeconds, 'outcome');
  for (const outcome of runOutcomes) run.zero({ outcome });

  return {
    acceptedToStarted: histogram(
      'lanekeeper_accepted_to_started_seconds',
      'Time from the acceptance of a request to the start of its first run',
      latencySeconds,
    ),
    acceptedToSettled: histogram(
      'lanekeeper_accepted_to_settled_seconds',
      'Time from the acceptance of a request to the record of its outcome',
      latencySeconds,
    ),
    run,
    settled: fromZero(
      counter('lanekeeper_settled_total', 'Requests settled, by status', 'status'),
      'status',
      settledStatuses,
    ),
    retries: counter('lanekeeper_retries_total', 'Runs that failed and will be repeated'),
    failures: counter('lanekeeper_failures_total', 'Requests that failed finally'),
    blocked: counter(
      'lanekeeper_blocked_total',
      'Requests that failed their last attempt and block their user until a person decides',
    ),
    deadLetters: fromZero(
      counter('lanekeeper_dead_letters_total', 'Requests that became dead letters, by reason', 'reason'),
      'reason',
      deadLetterReasons,
    ),
    crashes: counter('lanekeeper_crashes_total', 'Isolated runs that ended their process, or had to be killed'),
    rejections: counter('lanekeeper_unhandled_rejections_total', 'Rejected promises that a processor did not handle'),
    isolated: new Gauge({
      name: 'lanekeeper_isolated_runs',
      help: 'Isolated runs in progress',
      registers,
    }),
    lanesTaken: counter('lanekeeper_lanes_taken_total', 'Lanes acquired'),
    lanesReleased: fromZero(
      counter('lanekeeper_lanes_released_total', 'Lanes released, by reason', 'reason'),
      'reason',
      laneReleaseReasons,
    ),
    swept: counter('lanekeeper_swept_users_total', 'Stalled users that a sweep woke'),
  };
};

/** The primary adds the workers up, or takes the `max` where workers report the same thing or only the worst counts. */
export const registerGauges = (registry: Registry, snapshot: () => WorkerSnapshot | undefined): void => {
  const gauge = (name: string, help: string, aggregator: 'sum' | 'max', value: (snapshot: WorkerSnapshot) => number) =>
    new Gauge({
      name,
      help,
      aggregator,
      registers: [registry],
      collect() {
        const current = snapshot();
        this.set(current ? value(current) : 0);
      },
    });
  gauge('lanekeeper_in_flight', 'Runs in progress', 'sum', (s) => s.inFlight);
  gauge('lanekeeper_unresponsive_runs', 'Runs that go on against their signal', 'sum', (s) => s.unresponsiveRuns);
  gauge('lanekeeper_lanes_owned', 'Lanes owned', 'sum', (s) => s.lanesOwned);
  gauge(
    'lanekeeper_lanes_without_owner',
    'Lanes that no worker of any consumer owns',
    'max',
    (s) => s.lanesWithoutOwner?.length ?? 0,
  );
  gauge('lanekeeper_users_loaded', 'Users that an owner keeps in memory', 'sum', (s) => s.usersLoaded);
  gauge(
    'lanekeeper_oldest_pending_age_seconds',
    'Age of the oldest request that is not settled',
    'max',
    (s) => s.oldestPendingAgeMs / 1_000,
  );
  gauge('lanekeeper_stuck_users', 'Users with pending requests and no progress', 'max', (s) => s.stuckUsers);
  gauge('lanekeeper_pending_requests', 'Requests of all users that are not settled', 'max', (s) => s.pendingRequests);
  gauge(
    'lanekeeper_oldest_wait_seconds',
    'Age of the oldest request of all users that only lacks a slot or an owner',
    'max',
    (s) => s.oldestWaitMs / 1_000,
  );
  gauge(
    'lanekeeper_workers_wanted',
    'Workers that the pending requests of all users want; 0 while nobody can count them',
    'max',
    (s) => s.workersWanted ?? 0,
  );
  gauge('lanekeeper_dead_letters_now', 'Dead letters that nobody has retried or dropped', 'max', (s) => s.deadLetters);
  gauge(
    'lanekeeper_statistics_age_seconds',
    'Age of the numbers of stuck users, pending requests and dead letters',
    'max',
    (s) => s.statisticsAgeMs / 1_000,
  );
  gauge('lanekeeper_held_bytes', 'Bytes of requests that workers hold before they run', 'sum', (s) => s.heldBytes);
  gauge('lanekeeper_refused_user_queues', 'Users whose queue RabbitMQ refuses', 'sum', (s) => s.refusedQueues);
  gauge('lanekeeper_users_beyond_queue_cap', 'Users without a queue: MAX_OPEN_QUEUES', 'sum', (s) => s.queuesBeyondCap);
  registerEventLoopLag(registry);
  registerServersUp(registry, () => ({
    mongodb: snapshot()?.mongodbUp ?? false,
    rabbitmq: snapshot()?.rabbitmqUp ?? false,
  }));
};

/** The primary's own metrics. Returns the counter of the restarts. */
