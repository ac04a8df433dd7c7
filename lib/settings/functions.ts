/** What only functions read. */
import { z } from 'zod';
import { minTokenSecretLength } from '../limits.ts';
import { functions, integer, textOf } from './setting.ts';

const isOrigin = (text: string): boolean => URL.parse(text)?.origin === text && !text.includes('*');

const origins = z
  .string()
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .refine((all) => all.every(isOrigin) || (all.length === 1 && all[0] === '*'), {
    message: 'must be * or a list of origins such as https://app.example.com, separated by commas, without a path',
  });

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
  /** How many calls of a session may wait at a time (`?wait=`), in each process. */
  maxSessionPolls: functions('MAX_SESSION_POLLS', integer(1, 10_000, 20)),
  /** How many calls of a user may wait at a time, in each process. */
  maxUserPolls: functions('MAX_USER_POLLS', integer(1, 100_000, 100)),
  /** How many calls may wait at a time in each process. */
  maxPolls: functions('MAX_POLLS', integer(1, 1_000_000, 1_000)),
  /** The port of the API when the gateway serves it. 0 means any free port. */
  port: functions('PORT', integer(0, 65_535, 3_000)),
  /** The address that the gateway listens on. */
  host: functions('HOST', textOf(1).default('127.0.0.1')),
  /** How many connections the gateway serves at a time. It closes further ones at once. */
  maxConnections: functions('MAX_CONNECTIONS', integer(1, 1_000_000, 10_000)),
  /** The origins of web pages that may call the API from a browser, separated by commas, or `*`. */
  corsOrigins: functions('CORS_ORIGINS', origins.optional()),
  /** How long the gateway keeps an idle connection. Longer than the load balancer: else a call that is just being sent fails. */
  keepAliveMs: functions('KEEP_ALIVE_MS', integer(1_000, 3_600_000, 65_000)),
  /** How many bytes of answers may wait for clients that do not read them. Then the gateway closes the connections that wait longest. */
  maxUnreadBytes: functions('MAX_UNREAD_BYTES', integer(1_048_576, 17_179_869_184, 134_217_728)),
} as const;
