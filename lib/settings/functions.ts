/** What only functions read. */
import { z } from 'zod';
import { maxRequestBytes, minTokenSecretLength } from '../limits.ts';
import { functions, integer, textOf } from './setting.ts';

/** Shown by `/health`, so it must stay short. */
const choiceText = z.string().max(500, 'must have at most 500 characters').optional();

export const functionSettings = {
  /** The secret that signs tokens. Required, unless `jwtSecretId` is given. */
  jwtSecret: functions('JWT_SECRET', textOf(minTokenSecretLength).optional()),
  /** The name of the secret that signs tokens in AWS Secrets Manager. */
  jwtSecretId: functions('JWT_SECRET_ID', textOf(1).optional()),
  /** How long a session and its token live. */
  tokenTtlSeconds: functions('TOKEN_TTL_SECONDS', integer(1, 2_592_000, 3_600)),
  /** The cost of password hashes. Each step doubles the time of a login. */
  bcryptCost: functions('BCRYPT_COST', integer(4, 15, 10)),
  /** How many live sessions a user may have. A further login ends the oldest. */
  maxSessions: functions('MAX_SESSIONS', integer(1, 1_000, 100)),
  /** How many unsettled requests a user may have. */
  maxPending: functions('MAX_PENDING', integer(1, 1_000_000, 10_000)),
  /** How many bytes the unsettled requests of a user may have together. At least one request of the largest size. */
  maxPendingBytes: functions('MAX_PENDING_BYTES', integer(maxRequestBytes, 2 ** 40, 64 * 2 ** 20)),
  /** How many requests a user may enqueue per second, and at once after a pause. 0 means as many as they like. */
  enqueueRate: functions('ENQUEUE_RATE', integer(0, 100_000, 0)),
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
} as const;
