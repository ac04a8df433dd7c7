import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createClusterMetrics } from '../../lib/cluster/cluster-metrics.ts';
import { createWorkerMetrics } from '../../lib/consumer/metrics.ts';
import { createLogger } from '../../lib/log.ts';
import type { Clock } from '../../lib/ports.ts';

const counts = {
  workerId: 'w',
  lanesOwned: 4,
  usersLoaded: 9,
  inFlight: 2,
  oldestRunMs: 0,
  unresponsiveRuns: 1,
  stuckUsers: 3,
  refusedQueues: 0,
  queuesBeyondCap: 0,
  heldBytes: 4_096,
  pendingRequests: 7,
  deadLetters: 2,
  statisticsAgeMs: 4_500,
  oldestWaitMs: 3_500,
  workersWanted: 5,
  mongodbUp: true,
  rabbitmqUp: false,
};
const snapshot = { ...counts, oldestPendingAgeMs: 1_500, lanesWithoutOwner: [5, 6] };
const open = (clock: Pick<Clock, 'monotonicMs' | 'after'> = systemClock) =>
  createWorkerMetrics({ clock, log: createLogger('silent'), snapshot: () => snapshot });
const at = (ms: number) => new Date(100_000 + ms);
const run = { userId: 'u', user: 'ada', seq: 1, attempt: 1, fencingToken: 5 };

describe('worker metrics', () => {
  test('measure latencies from acceptance to the first start and to the record of the outcome', async () => {
    const { registry, observer } = open();
    observer.runStarted({ ...run, acceptedAt: at(0), at: at(200) });
    observer.runStarted({ ...run, attempt: 2, acceptedAt: at(0), at: at(9_000) });
    observer.settled({ userId: 'u', seq: 1, status: 'done', fencingToken: 5, acceptedAt: at(0), at: at(9_500) });
    const text = await registry.metrics();
    expect(text).toContain('lanekeeper_accepted_to_started_seconds_sum 0.2\n');
    expect(text).toContain('lanekeeper_accepted_to_started_seconds_bucket{le="0.1"} 0\n');
    expect(text).toContain('lanekeeper_accepted_to_started_seconds_bucket{le="0.25"} 1\n');
    expect(text).toContain('lanekeeper_accepted_to_settled_seconds_sum 9.5\n');
  });

  test('measure each run, also beside an older run of the same request, wherever the clock is set meanwhile', async () => {
    const times = [0, 1_000, 1_300, 5_000];
    const { registry, observer } = open({ ...systemClock, monotonicMs: () => times.shift()! });
    const later = { ...run, attempt: 2, fencingToken: 6 };
    observer.runStarted({ ...run, acceptedAt: at(0), at: at(0) });
    observer.runStarted({ ...later, acceptedAt: at(0), at: at(1_000) });
    observer.runEnded({ ...later, outcome: 'done', at: at(-60_000) });
    observer.runEnded({ ...run, outcome: 'aborted', at: at(60_000) });
    const text = await registry.metrics();
    expect(text).toContain('lanekeeper_run_seconds_sum{outcome="aborted"} 5\n');
    expect(text).toContain('lanekeeper_run_seconds_sum{outcome="done"} 0.3\n');
  });

  test('count settled requests, retries, failures, acquired and released lanes, and swept users', async () => {
    const { registry, observer } = open();
    observer.laneTaken({ lane: 1, fencingToken: 5, users: 2, at: at(0) });
    observer.laneReleased({ lane: 1, reason: 'lost', at: at(1) });
    observer.runEnded({ ...run, outcome: 'retry', at: at(2) });
    observer.runEnded({ ...run, outcome: 'failed', at: at(3) });
    observer.deadLettered({ userId: 'u', seq: 1, status: 'failed', reason: 'failed', fencingToken: 5, at: at(4) });
    observer.settled({ userId: 'u', seq: 1, status: 'failed', fencingToken: 5, acceptedAt: at(0), at: at(4) });
    observer.settled({ userId: 'u', seq: 2, status: 'abandoned', fencingToken: 5, acceptedAt: at(0), at: at(5) });
    observer.swept({ stuck: 0, at: at(6) });
    observer.swept({ stuck: 2, at: at(7) });
    const text = await registry.metrics();
    for (const line of [
      'lanekeeper_lanes_taken_total 1',
      'lanekeeper_lanes_released_total{reason="lost"} 1',
      'lanekeeper_retries_total 1',
      'lanekeeper_failures_total 1',
      'lanekeeper_settled_total{status="failed"} 1',
      'lanekeeper_settled_total{status="abandoned"} 1',
      'lanekeeper_accepted_to_settled_seconds_count 1',
      'lanekeeper_swept_users_total 2',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('count dead letters by reason, blocked requests, and runs that ended their process', async () => {
    const { registry, observer, isolationObserver } = open();
    const deadLetter = { userId: 'u', seq: 1, fencingToken: 5, at: at(0) };
    observer.runEnded({ ...run, outcome: 'blocked', at: at(0) });
    observer.deadLettered({ ...deadLetter, status: 'blocked', reason: 'failed' });
    observer.deadLettered({ ...deadLetter, status: 'failed', reason: 'crashed' });
    observer.deadLettered({ ...deadLetter, status: 'failed', reason: 'crashed' });
    for (const crashed of [true, false]) {
      isolationObserver.started();
      isolationObserver.ended(crashed);
    }
    isolationObserver.started();
    const text = await registry.metrics();
    for (const line of [
      'lanekeeper_blocked_total 1',
      'lanekeeper_failures_total 2',
      'lanekeeper_dead_letters_total{reason="failed"} 1',
      'lanekeeper_dead_letters_total{reason="crashed"} 2',
      'lanekeeper_crashes_total 1',
      'lanekeeper_isolated_runs 1',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('have a series for each counter before its first event', async () => {
    const text = await open().registry.metrics();
    for (const line of [
      'lanekeeper_settled_total{status="failed"} 0',
      'lanekeeper_dead_letters_total{reason="crashed"} 0',
      'lanekeeper_lanes_released_total{reason="lost"} 0',
      'lanekeeper_run_seconds_count{outcome="retry"} 0',
      'lanekeeper_crashes_total 0',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toMatch(/^lanekeeper_event_loop_lag_seconds [\d.e-]+$/m);
  });

  test('show the state of the worker', async () => {
    const text = await open().registry.metrics();
    for (const line of [
      'lanekeeper_in_flight 2',
      'lanekeeper_unresponsive_runs 1',
      'lanekeeper_lanes_owned 4',
      'lanekeeper_lanes_without_owner 2',
      'lanekeeper_users_loaded 9',
      'lanekeeper_oldest_pending_age_seconds 1.5',
      'lanekeeper_stuck_users 3',
      'lanekeeper_pending_requests 7',
      'lanekeeper_dead_letters_now 2',
      'lanekeeper_statistics_age_seconds 4.5',
      'lanekeeper_oldest_wait_seconds 3.5',
      'lanekeeper_workers_wanted 5',
      'lanekeeper_server_up{server="mongodb"} 1',
      'lanekeeper_server_up{server="rabbitmq"} 0',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });
});

describe('cluster metrics', () => {
  test('keep the counts of a worker that has exited, and forget its state', async () => {
    const [one, other] = [open(), open()];
    const lane = { lane: 1, fencingToken: 5, users: 2, at: at(0) };
    one.observer.laneTaken(lane);
    other.observer.laneTaken(lane);
    const cluster = createClusterMetrics('consumer', () => 1);
    cluster.retire(await one.registry.getMetricsAsJSON());
    cluster.retire(undefined);
    cluster.workerRestarted('hung');
    const text = await cluster.render([await other.registry.getMetricsAsJSON()]);
    for (const line of [
      'lanekeeper_lanes_taken_total 2',
      'lanekeeper_lanes_owned 4',
      'lanekeeper_worker_restarts_total{reason="hung"} 1',
      'lanekeeper_workers_ready 1',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('are only those of the primary while there is no worker, with every counter and the version', async () => {
    const text = await createClusterMetrics('consumer', () => 0).render([]);
    expect(text).toContain('lanekeeper_workers_ready 0\n');
    expect(text).toMatch(/^lanekeeper_build_info\{version="\d+\.\d+\.\d+",node="v\d+\.\d+\.\d+"\} 1$/m);
    for (const reason of ['died', 'hung', 'never-came-up', 'retired'])
      expect(text).toContain(`lanekeeper_worker_restarts_total{reason="${reason}"} 0\n`);
  });
});
