/** What only the consumer reads. */
import { availableParallelism } from 'node:os';
import { attemptsRange, retryAfterMaxRange, retryBaseRange, retryMaxRange, runTimeoutRange } from '../limits.ts';
import { webUrl } from '../server-url.ts';
import { interruptionPolicies } from '../types.ts';
import { choice, consumer, integer, textOf } from './setting.ts';

export const consumerSettings = {
  /** What runs requests: `echo`, `webhook`, a file, a file URL or a package. */
  processor: consumer('PROCESSOR', textOf(1).default('echo')),
  /** How many worker processes the primary keeps alive. */
  workers: consumer('WORKERS', integer(1, 256, availableParallelism())),
  /** How many processes wait with everything loaded but the processor, so that a reload or a restart takes a second less. */
  spareWorkers: consumer('SPARE_WORKERS', integer(0, 16, 0)),
  /** How many requests a worker runs at a time. Its users share them evenly. */
  concurrency: consumer('CONCURRENCY', integer(1, 10_000, 64)),
  /** How many bytes of requests a worker holds, at most: the rest stays in RabbitMQ and MongoDB. Requests that run do not count. */
  heldBytes: consumer('HELD_BYTES', integer(1_048_576, 68_719_476_736, 67_108_864)),
  /** How many runs of a request may fail before it is dead-lettered. */
  maxAttempts: consumer('MAX_ATTEMPTS', integer(attemptsRange.min, attemptsRange.max, 5)),
  /** The shortest pause before the next attempt. */
  retryBaseMs: consumer('RETRY_BASE_MS', integer(retryBaseRange.min, retryBaseRange.max, 200)),
  /** The longest pause before the next attempt, unless the run asked for a longer one. */
  retryMaxMs: consumer('RETRY_MAX_MS', integer(retryMaxRange.min, retryMaxRange.max, 30_000)),
  /** The longest pause that a run may ask for: `RetryAfterError`, or `Retry-After` of a webhook. */
  retryAfterMaxMs: consumer('RETRY_AFTER_MAX_MS', integer(retryAfterMaxRange.min, retryAfterMaxRange.max, 86_400_000)),
  /** After its last attempt a request is settled as failed (`skip`), or blocks its user until a person decides (`block`). */
  failurePolicy: consumer('FAILURE_POLICY', choice('skip', 'block').default('skip')),
  /** How long a run may take before its signal aborts and its attempt counts as failed. 0 means no timeout. */
  runTimeoutMs: consumer('RUN_TIMEOUT_MS', integer(runTimeoutRange.min, runTimeoutRange.max, 0)),
  /** How many runs in a row may end with their process before the request is dead-lettered. */
  maxCrashes: consumer('MAX_CRASHES', integer(2, 100, 3)),
  /** After a run was interrupted its request runs again (`rerun`), or becomes a dead letter, as it must not run twice. */
  interruptionPolicy: consumer('INTERRUPTION_POLICY', choice(...interruptionPolicies).default('rerun')),
  /** What a rejected promise does that a processor does not handle: `log` goes on; `exit` ends the worker, and so its runs. */
  unhandledRejection: consumer('UNHANDLED_REJECTION', choice('log', 'exit').default('log')),
  /** How many processes a worker may start for isolated runs: half of them shared by many runs, the others for one run each. */
  isolatedProcesses: consumer('ISOLATED_PROCESSES', integer(2, 64, 4)),
  /** The timeout of an isolated run whose policy sets none: runs that hang must not keep others from an isolated process. */
  isolatedRunTimeoutMs: consumer('ISOLATED_RUN_TIMEOUT_MS', integer(1, runTimeoutRange.max, 60_000)),
  /** A user queue closes when nothing came for this long. */
  idleTimeoutMs: consumer('IDLE_TIMEOUT_MS', integer(100, 86_400_000, 60_000)),
  /**
   * How many user queues all workers together may have open, for a broker with a cap on queues. Users beyond it are served from MongoDB
   * and by wakes. Lanes do not count. 0: no cap.
   */
  maxOpenQueues: consumer('MAX_OPEN_QUEUES', integer(0, 1_000_000, 0)),
  /** How long a ticket may lack its ledger entry before the owner writes a tombstone. */
  gapTimeoutMs: consumer('GAP_TIMEOUT_MS', integer(10, 600_000, 2_000)),
  /** The time between two sweeps of a worker. */
  sweepMs: consumer('SWEEP_MS', integer(50, 600_000, 3_000)),
  /** The time between two comparisons of a worker's lanes with its fair share. */
  balanceMs: consumer('BALANCE_MS', integer(50, 600_000, 2_000)),
  /** The time between two writes of `settled` to the user queues. */
  flushMs: consumer('FLUSH_MS', integer(10, 60_000, 500)),
  /** The time between two renewals of a lane's baton. It must be far below RabbitMQ's `consumer_timeout` (30 minutes). */
  batonRenewMs: consumer('BATON_RENEW_MS', integer(1_000, 600_000, 300_000)),
  /** The queue type of the lanes: `quorum` where RabbitMQ is a cluster. */
  laneQueueType: consumer('LANE_QUEUE_TYPE', choice('classic', 'quorum').default('classic')),
  /**
   * A frozen worker or container is found within this time, and its lanes go to another worker. RabbitMQ finds it by its AMQP heartbeat, a
   * third of this in whole seconds. Below 3 s the other workers look too. An event loop that is blocked for a second is no reason.
   */
  frozenAfterMs: consumer('FROZEN_AFTER_MS', integer(2_000, 180_000, 4_000)),
  /** A worker whose event loop is blocked for this long is killed, once its processor has loaded. */
  workerHangMs: consumer('WORKER_HANG_MS', integer(100, 600_000, 5_000)),
  /** How long a worker or an isolated process may take to load the processor. Then it is killed and started again. */
  startTimeoutMs: consumer('START_TIMEOUT_MS', integer(100, 3_600_000, 60_000)),
  /** `/healthz` answers 503 when a lane has had no owner for this long. Above the time of a failover from a frozen worker. */
  unhealthyAfterMs: consumer('UNHEALTHY_AFTER_MS', integer(1_000, 3_600_000, 30_000)),
  /** `/backlog` asks for one worker for so many pending requests. */
  pendingPerWorker: consumer('PENDING_PER_WORKER', integer(1, 1_000_000, 100)),
  /** The port of `/healthz`, `/livez`, `/backlog` and `/metrics`. 0 means any free port. */
  metricsPort: consumer('METRICS_PORT', integer(0, 65_535, 9_464)),
  /** Where the processor `webhook` posts requests to. Required by it. */
  webhookUrl: consumer('WEBHOOK_URL', webUrl.optional()),
  /** The secret that signs the webhook's posts, or several of the form `whsec_…` with spaces between them. Required by it. */
  webhookSecret: consumer('WEBHOOK_SECRET', textOf(16).optional()),
  /** A file with `webhookSecret`. */
  webhookSecretFile: consumer('WEBHOOK_SECRET_FILE', textOf(1).optional()),
  /** The name of `webhookSecret` in AWS Secrets Manager. */
  webhookSecretId: consumer('WEBHOOK_SECRET_ID', textOf(1).optional()),
  /** How long the webhook may take to answer. */
  webhookTimeoutMs: consumer('WEBHOOK_TIMEOUT_MS', integer(10, 600_000, 10_000)),
} as const;
