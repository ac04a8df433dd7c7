/** What functions and consumers both read. */
import { z } from 'zod';
import { attemptsRange, runTimeoutRange } from '../limits.ts';
import { mongodbUrl, rabbitmqUrl, webUrl } from '../server-url.ts';
import { both, choice, integer, textOf } from './setting.ts';

export const sharedSettings = {
  /** MongoDB, with the name of the database. */
  mongodbUrl: both('MONGODB_URL', mongodbUrl.default('mongodb://127.0.0.1:27017/lanekeeper')),
  /** A file with `mongodbUrl`. */
  mongodbUrlFile: both('MONGODB_URL_FILE', textOf(1).optional()),
  /** The name of `mongodbUrl` in AWS Secrets Manager. */
  mongodbUrlSecretId: both('MONGODB_URL_SECRET_ID', textOf(1).optional()),
  /** RabbitMQ, with the virtual host. */
  rabbitmqUrl: both('RABBITMQ_URL', rabbitmqUrl.default('amqp://127.0.0.1:5672')),
  /** A file with `rabbitmqUrl`. */
  rabbitmqUrlFile: both('RABBITMQ_URL_FILE', textOf(1).optional()),
  /** The name of `rabbitmqUrl` in AWS Secrets Manager. */
  rabbitmqUrlSecretId: both('RABBITMQ_URL_SECRET_ID', textOf(1).optional()),
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
  /** 1: create missing indexes at the first call. 0: only report them, and leave them to `lanekeeper migrate`. */
  autoMigrate: both('AUTO_MIGRATE', integer(0, 1, 0)),
  /** How long MongoDB may take to answer one operation. */
  storeTimeoutMs: both('STORE_TIMEOUT_MS', integer(100, 60_000, 5_000)),
  /** The AMQP heartbeat. A RabbitMQ that is silent for two to three of them counts as lost. */
  heartbeatSeconds: both('HEARTBEAT_SECONDS', integer(1, 60, 5)),
  /** How long runs and calls may go on after SIGTERM. Then runs are aborted and calls are cut off. */
  graceMs: both('GRACE_MS', integer(0, 3_600_000, 20_000)),
  /** The longest timeout that a request may set for its runs. The same for functions and consumers. */
  maxRunTimeoutMs: both('MAX_RUN_TIMEOUT_MS', integer(1, runTimeoutRange.max, 900_000)),
  /** The most attempts that a request may set for itself. The same for functions and consumers. */
  maxRequestAttempts: both('MAX_REQUEST_ATTEMPTS', integer(attemptsRange.min, attemptsRange.max, 20)),
  /** A user with pending requests and no progress for this long is stalled: the sweep wakes the user's lane. */
  stuckAfterMs: both('STUCK_AFTER_MS', integer(100, 3_600_000, 5_000)),
  /** The base URL of a collector that takes OTLP over HTTP: traces are exported to it. Needs the packages of OpenTelemetry. */
  otlpEndpoint: both('OTEL_EXPORTER_OTLP_ENDPOINT', webUrl.optional()),
  /** The namespace of metrics in CloudWatch's embedded format, which the functions and the consumer then write into their log. */
  emfNamespace: both(
    'EMF_NAMESPACE',
    z
      .string()
      .regex(/^[A-Za-z0-9._/#:-]{1,255}$/, 'must be 1 to 255 of A-Z a-z 0-9 . _ / # : -')
      .optional(),
  ),
  /** Where events are posted to the WebSocket connections of API Gateway. Without it they get none: our gateway needs no such address. */
  websocketEndpoint: both('WEBSOCKET_ENDPOINT', webUrl.optional()),
  /** The address that serves `/metrics`, and the consumer's `/healthz`, `/livez` and `/backlog`. */
  metricsHost: both('METRICS_HOST', textOf(1).default('127.0.0.1')),
} as const;
