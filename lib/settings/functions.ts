/** What only functions read. */
import { z } from 'zod';
import { minTokenSecretLength } from '../limits.ts';
import { choice, functions, integer, textOf } from './setting.ts';

/** Shown by `/health`, so it must stay short. */
const choiceText = z.string().max(500, 'must have at most 500 characters').optional();

export const functionSettings = {
  /** The secret that signs tokens. Required, unless `jwtSecretFile` or `jwtSecretId` is given. */
  jwtSecret: functions('JWT_SECRET', textOf(minTokenSecretLength).optional()),
  /** A file with `jwtSecret`. */
  jwtSecretFile: functions('JWT_SECRET_FILE', textOf(1).optional()),
  /** The name of `jwtSecret` in AWS Secrets Manager. */
  jwtSecretId: functions('JWT_SECRET_ID', textOf(1).optional()),
  /** How long a session and its token live. */
  tokenTtlSeconds: functions('TOKEN_TTL_SECONDS', integer(1, 2_592_000, 3_600)),
  /** The cost of password hashes. Each step doubles the time of a login. */
  bcryptCost: functions('BCRYPT_COST', integer(4, 15, 10)),
  /** How many live sessions a user may have. */
  maxSessions: functions('MAX_SESSIONS', integer(1, 1_000, 100)),
  /** How many unsettled requests a user may have. */
  maxPending: functions('MAX_PENDING', integer(1, 1_000_000, 10_000)),
  /** Which errors of runs clients see in full: those that their author marked (`marked`), or `all`. Operators see all. */
  exposeErrors: functions('EXPOSE_ERRORS', choice('marked', 'all').default('marked')),
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
