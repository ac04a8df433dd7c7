import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { AppError } from './errors.ts';
import { serverUrlFault, webUrlFault } from './url-fault.ts';

/** Thrown at start when the environment is not usable. Its message lists every fault, one a line. */
export class ConfigError extends AppError {
  readonly faults: string[];
  constructor(faults: string[]) {
    super(`The environment is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`, {
      code: 'bad-config',
      status: 500,
    });
    this.faults = faults;
  }
}

type Role = 'functions' | 'consumer';

const integer = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(fallback);

const url = (faultOf: (url: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const message = faultOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const mongodbUrl = url((value) =>
  serverUrlFault(value, { schemes: ['mongodb', 'mongodb+srv'], portless: ['mongodb+srv'], severalHosts: true }),
);
const rabbitmqUrl = url((value) => serverUrlFault(value, { schemes: ['amqp', 'amqps'] }));

/**
 * Every environment variable, with its range and default. The README's table says the same; a test compares them.
 * Units are in the names.
 */
export const environment = {
  MONGODB_URL: mongodbUrl.default('mongodb://127.0.0.1:27017/lanekeeper'),
  RABBITMQ_URL: rabbitmqUrl.default('amqp://127.0.0.1:5672'),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,40}$/, 'must be at most 40 of A-Z a-z 0-9 . _ -')
    .default(''),
  LANES: integer(1, 1_024, 64),
  LANE_QUEUE_TYPE: z.enum(['classic', 'quorum']).default('classic'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  JWT_SECRET_ID: z.string().min(1).optional(),
  TOKEN_TTL_SECONDS: integer(1, 2_592_000, 3_600),
  BCRYPT_COST: integer(4, 15, 10),
  MAX_SESSIONS: integer(1, 1_000, 100),
  MAX_PENDING: integer(1, 1_000_000, 10_000),
  PUBLISH_TIMEOUT_MS: integer(10, 30_000, 1_000),
  STORE_TIMEOUT_MS: integer(100, 60_000, 5_000),
  PORT: integer(0, 65_535, 3_000),
  HOST: z.string().min(1).default('127.0.0.1'),
  MONGODB_CHOICE: z.string().max(500).optional(),
  RABBITMQ_CHOICE: z.string().max(500).optional(),

  WORKERS: integer(1, 256, availableParallelism()),
  CONCURRENCY: integer(1, 10_000, 64),
  PROCESSOR: z.string().min(1).default('echo'),
  MAX_ATTEMPTS: integer(1, 1_000, 5),
  RETRY_BASE_MS: integer(1, 3_600_000, 200),
  RETRY_MAX_MS: integer(1, 86_400_000, 30_000),
  FAILURE_POLICY: z.enum(['skip', 'block']).default('skip'),
  RUN_TIMEOUT_MS: integer(0, 86_400_000, 0),
  MAX_CRASHES: integer(2, 100, 3),
  GRACE_MS: integer(0, 3_600_000, 20_000),
  GAP_TIMEOUT_MS: integer(10, 600_000, 2_000),
  IDLE_TIMEOUT_MS: integer(100, 86_400_000, 60_000),
  STUCK_AFTER_MS: integer(100, 3_600_000, 5_000),
  SWEEP_MS: integer(50, 600_000, 3_000),
  BALANCE_MS: integer(50, 600_000, 2_000),
  FLUSH_MS: integer(10, 60_000, 500),
  BATON_RENEW_MS: integer(1_000, 600_000, 300_000),
  HEARTBEAT_SECONDS: integer(1, 60, 5),
  WORKER_HANG_MS: integer(100, 600_000, 5_000),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  METRICS_PORT: integer(0, 65_535, 9_464),
  WEBHOOK_URL: url(webUrlFault).optional(),
  WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  WEBHOOK_TIMEOUT_MS: integer(10, 600_000, 10_000),
} as const;

const schema = z.object(environment).superRefine((env, context) => {
  const fault = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
  if (env.RETRY_MAX_MS < env.RETRY_BASE_MS)
    fault('RETRY_MAX_MS', `must be at least RETRY_BASE_MS (${env.RETRY_BASE_MS})`);
  if (env.PROCESSOR === 'webhook') {
    if (!env.WEBHOOK_URL) fault('WEBHOOK_URL', 'is required when PROCESSOR is webhook');
    if (!env.WEBHOOK_SECRET) fault('WEBHOOK_SECRET', 'is required when PROCESSOR is webhook');
  }
});

const shape = (env: z.infer<typeof schema>) => ({
  mongodbUrl: env.MONGODB_URL,
  rabbitmqUrl: env.RABBITMQ_URL,
  queuePrefix: env.QUEUE_PREFIX,
  lanes: env.LANES,
  laneQueueType: env.LANE_QUEUE_TYPE,
  logLevel: env.LOG_LEVEL,
  jwtSecret: env.JWT_SECRET,
  jwtSecretId: env.JWT_SECRET_ID,
  tokenTtlSeconds: env.TOKEN_TTL_SECONDS,
  bcryptCost: env.BCRYPT_COST,
  maxSessions: env.MAX_SESSIONS,
  maxPending: env.MAX_PENDING,
  publishTimeoutMs: env.PUBLISH_TIMEOUT_MS,
  storeTimeoutMs: env.STORE_TIMEOUT_MS,
  port: env.PORT,
  host: env.HOST,
  mongodbChoice: env.MONGODB_CHOICE,
  rabbitmqChoice: env.RABBITMQ_CHOICE,
  workers: env.WORKERS,
  concurrency: env.CONCURRENCY,
  processor: env.PROCESSOR,
  maxAttempts: env.MAX_ATTEMPTS,
  retryBaseMs: env.RETRY_BASE_MS,
  retryMaxMs: env.RETRY_MAX_MS,
  failurePolicy: env.FAILURE_POLICY,
  runTimeoutMs: env.RUN_TIMEOUT_MS,
  maxCrashes: env.MAX_CRASHES,
  graceMs: env.GRACE_MS,
  gapTimeoutMs: env.GAP_TIMEOUT_MS,
  idleTimeoutMs: env.IDLE_TIMEOUT_MS,
  stuckAfterMs: env.STUCK_AFTER_MS,
  sweepMs: env.SWEEP_MS,
  balanceMs: env.BALANCE_MS,
  flushMs: env.FLUSH_MS,
  batonRenewMs: env.BATON_RENEW_MS,
  heartbeatSeconds: env.HEARTBEAT_SECONDS,
  workerHangMs: env.WORKER_HANG_MS,
  metricsHost: env.METRICS_HOST,
  metricsPort: env.METRICS_PORT,
  webhookUrl: env.WEBHOOK_URL,
  webhookSecret: env.WEBHOOK_SECRET,
  webhookTimeoutMs: env.WEBHOOK_TIMEOUT_MS,
});

export type Config = ReturnType<typeof shape>;

/**
 * Reads the environment, once, at start.
 *
 * @param role `functions` also needs the secret that signs tokens.
 * @throws {ConfigError} with every fault at once.
 */
export const loadConfig = (env: NodeJS.ProcessEnv, role: Role): Config => {
  const known = Object.keys(environment);
  const given = Object.fromEntries(
    known.filter((name) => env[name] !== undefined && env[name] !== '').map((name) => [name, env[name]]),
  );
  const parsed = schema.safeParse(given);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  if (role === 'functions' && !given.JWT_SECRET && !given.JWT_SECRET_ID) {
    faults.push(
      'JWT_SECRET or JWT_SECRET_ID is required: the secret that signs tokens, or its name in AWS Secrets Manager',
    );
  }
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return shape(parsed.data);
};
