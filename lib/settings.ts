/** Every environment variable: its name, who reads it, and what it may be. Everything else about them is derived from this table. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  attemptsRange,
  minTokenSecretLength,
  retryAfterMaxRange,
  retryBaseRange,
  retryMaxRange,
  runTimeoutRange,
} from './limits.ts';
import { mongodbUrl, rabbitmqUrl, webUrl } from './server-url.ts';
import { interruptionPolicies } from './types.ts';

export type Role = 'functions' | 'consumer';

type Setting<Name extends string, Reader extends string, Schema extends z.ZodType> = {
  /** The environment variable. */
  name: Name;
  readBy: Reader;
  /** Checks and reads the variable's text. The default is part of it. */
  schema: Schema;
};

const settingOf =
  <Reader extends Role | 'both'>(readBy: Reader) =>
  <const Name extends string, Schema extends z.ZodType>(name: Name, schema: Schema): Setting<Name, Reader, Schema> => ({
    name,
    readBy,
    schema,
  });

const both = settingOf('both');
const functions = settingOf('functions');
const consumer = settingOf('consumer');

const integer = (min: number, max: number, byDefault: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .transform(Number)
    .default(byDefault);

const choice = <const Values extends readonly string[]>(...values: Values) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

const textOf = (minLength: number) => z.string().min(minLength, `must have at least ${minLength} characters`);

/** Shown by `/health`, so it must stay short. */
const choiceText = z.string().max(500, 'must have at most 500 characters').optional();

/** Every environment variable. Units are in the names. An empty variable counts as not set. */
export const settings = {
  /** MongoDB, with the name of the database. */
  mongodbUrl: both('MONGODB_URL', mongodbUrl.default('mongodb://127.0.0.1:27017/lanekeeper')),
  /** RabbitMQ, with the virtual host. */
  rabbitmqUrl: both('RABBITMQ_URL', rabbitmqUrl.default('amqp://127.0.0.1:5672')),
  /** The start of every queue's name. It must be the same for functions and consumers. */
  queuePrefix: both(
    'QUEUE_PREFIX',
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{0,40}$/, 'must be at most 40 of A-Z a-z 0-9 . _ -')
      .default(''),
  ),
  /** How many lanes new users are spread over. It must be the same for functions and consumers. */
  lanes: both('LANES', integer(1, 1_024, 64)),
  /** The least severe lines that are logged. */
  logLevel: both('LOG_LEVEL', choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info')),
  /** How long RabbitMQ may take to confirm a message. The sweep catches up on what it did not confirm. */
  publishTimeoutMs: both('PUBLISH_TIMEOUT_MS', integer(10, 30_000, 1_000)),
  /** How long MongoDB may take to answer one operation. */
  storeTimeoutMs: both('STORE_TIMEOUT_MS', integer(100, 60_000, 5_000)),
  /** The AMQP heartbeat. RabbitMQ gives up a frozen worker's connection after about three of them. */
  heartbeatSeconds: both('HEARTBEAT_SECONDS', integer(1, 60, 5)),
  /** How long runs and calls may go on after SIGTERM. Then runs are aborted and calls are cut off. */
  graceMs: both('GRACE_MS', integer(0, 3_600_000, 20_000)),
  /** The longest timeout that a request may set for its runs. The same for functions and consumers. */
  maxRunTimeoutMs: both('MAX_RUN_TIMEOUT_MS', integer(1, runTimeoutRange.max, 900_000)),
  /** The most attempts that a request may set for itself. The same for functions and consumers. */
  maxRequestAttempts: both('MAX_REQUEST_ATTEMPTS', integer(attemptsRange.min, attemptsRange.max, 20)),
  /** A user with pending requests and no progress for this long is stalled: the sweep wakes the user's lane. */
  stuckAfterMs: both('STUCK_AFTER_MS', integer(100, 3_600_000, 5_000)),

  /** The secret that signs tokens. Required, unless `jwtSecretId` is given. */
  jwtSecret: functions('JWT_SECRET', textOf(minTokenSecretLength).optional()),
  /** The name of the secret that signs tokens in AWS Secrets Manager. */
  jwtSecretId: functions('JWT_SECRET_ID', textOf(1).optional()),
  /** How long a session and its token live. */
  tokenTtlSeconds: functions('TOKEN_TTL_SECONDS', integer(1, 2_592_000, 3_600)),
  /** The cost of password hashes. Each step doubles the time of a login. */
  bcryptCost: functions('BCRYPT_COST', integer(4, 15, 10)),
  /** How many live sessions a user may have. */
  maxSessions: functions('MAX_SESSIONS', integer(1, 1_000, 100)),
  /** How many unsettled requests a user may have. */
  maxPending: functions('MAX_PENDING', integer(1, 1_000_000, 10_000)),
  /** The port of the API when the gateway serves it. 0 means any free port. */
  port: functions('PORT', integer(0, 65_535, 3_000)),
  /** The address that the gateway listens on. */
  host: functions('HOST', textOf(1).default('127.0.0.1')),
  /** How many connections the gateway serves at a time. It closes further ones at once. */
  maxConnections: functions('MAX_CONNECTIONS', integer(1, 1_000_000, 10_000)),
  /** How MongoDB was chosen. `npm start` sets it, and `/health` shows it. */
  mongodbChoice: functions('MONGODB_CHOICE', choiceText),
  /** How RabbitMQ was chosen. `npm start` sets it, and `/health` shows it. */
  rabbitmqChoice: functions('RABBITMQ_CHOICE', choiceText),

  /** What runs requests: `echo`, `webhook`, a file, a file URL or a package. */
  processor: consumer('PROCESSOR', textOf(1).default('echo')),
  /** How many worker processes the primary keeps alive. */
  workers: consumer('WORKERS', integer(1, 256, availableParallelism())),
  /** How many requests a worker runs at a time. Its users share them evenly. */
  concurrency: consumer('CONCURRENCY', integer(1, 10_000, 64)),
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
  /** How many processes a worker may start for isolated runs: half of them shared by many runs, the others for one run each. */
  isolatedProcesses: consumer('ISOLATED_PROCESSES', integer(2, 64, 4)),
  /** The timeout of an isolated run whose policy sets none: runs that hang must not keep others from an isolated process. */
  isolatedRunTimeoutMs: consumer('ISOLATED_RUN_TIMEOUT_MS', integer(1, runTimeoutRange.max, 60_000)),
  /** A user queue closes when nothing came for this long. */
  idleTimeoutMs: consumer('IDLE_TIMEOUT_MS', integer(100, 86_400_000, 60_000)),
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
  /** A worker whose event loop is blocked for this long is killed. */
  workerHangMs: consumer('WORKER_HANG_MS', integer(100, 600_000, 5_000)),
  /** `/healthz` answers 503 when a lane has had no owner for this long. Above the time of a failover from a frozen worker. */
  unhealthyAfterMs: consumer('UNHEALTHY_AFTER_MS', integer(1_000, 3_600_000, 30_000)),
  /** The address that serves `/healthz` and `/metrics`. */
  metricsHost: consumer('METRICS_HOST', textOf(1).default('127.0.0.1')),
  /** The port of `/healthz` and `/metrics`. 0 means any free port. */
  metricsPort: consumer('METRICS_PORT', integer(0, 65_535, 9_464)),
  /** Where the processor `webhook` posts requests to. Required by it. */
  webhookUrl: consumer('WEBHOOK_URL', webUrl.optional()),
  /** The secret that signs the webhook's posts. Required by it. */
  webhookSecret: consumer('WEBHOOK_SECRET', textOf(16).optional()),
  /** How long the webhook may take to answer. */
  webhookTimeoutMs: consumer('WEBHOOK_TIMEOUT_MS', integer(10, 600_000, 10_000)),
} as const;
