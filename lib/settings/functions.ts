/** What only functions read. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { maxRequestBytes, minTokenSecretLength } from '../limits.ts';
import { proxies } from '../trusted-proxies.ts';
import { choice, functions, integer, optionalInteger, textOf } from './setting.ts';

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
  /** How many passwords are hashed at a time, each in a thread of its own. One core is left to the calls. */
  hashThreads: functions('HASH_THREADS', integer(1, 64, Math.max(1, availableParallelism() - 1))),
  /** How many more logins and registrations may wait until a password is hashed. Further ones are refused as `busy`. */
  maxWaitingHashes: functions('MAX_WAITING_HASHES', integer(0, 100_000, 64)),
  /** Who may register: anybody, nobody, or whoever sends `inviteSecret`. Operators can always create accounts. */
  registration: functions('REGISTRATION', choice('open', 'closed', 'invite').default('open')),
  /** What a registration must send as `invite`. Required when `registration` is `invite`. */
  inviteSecret: functions('INVITE_SECRET', textOf(16).optional()),
  /** A file with `inviteSecret`. */
  inviteSecretFile: functions('INVITE_SECRET_FILE', textOf(1).optional()),
  /** The name of `inviteSecret` in AWS Secrets Manager. */
  inviteSecretId: functions('INVITE_SECRET_ID', textOf(1).optional()),
  /** The proxies whose `X-Forwarded-For` is believed. None by default. Only the gateway uses them. */
  trustedProxies: functions('TRUSTED_PROXIES', proxies),
  /** How many logins a network may make in a minute: an IPv4 address, or a /64 of IPv6. A /48 may make 16 times as many. 0: no limit. */
  loginsPerMinute: functions('LOGINS_PER_MINUTE', integer(0, 1_000_000, 60)),
  /** How many accounts a network may try to register in an hour. 0 means no limit. */
  registrationsPerHour: functions('REGISTRATIONS_PER_HOUR', integer(0, 1_000_000, 60)),
  /** The longest delay after failed logins to one account. The delay doubles up to it. 0 means no delay. */
  loginMaxDelaySeconds: functions('LOGIN_MAX_DELAY_SECONDS', integer(0, 3_600, 60)),
  /** How many live sessions a user may have. A further login ends the oldest. */
  maxSessions: functions('MAX_SESSIONS', integer(1, 1_000, 100)),
  /** How many unsettled requests a user may have. */
  maxPending: functions('MAX_PENDING', integer(1, 1_000_000, 10_000)),
  /** How many bytes the unsettled requests of a user may have together. At least one request of the largest size. */
  maxPendingBytes: functions('MAX_PENDING_BYTES', integer(maxRequestBytes, 2 ** 40, 64 * 2 ** 20)),
  /** How many requests a user may enqueue per second, and at once after a pause. 0 means as many as they like. */
  enqueueRate: functions('ENQUEUE_RATE', integer(0, 100_000, 0)),
  /** How many calls of a session may wait at a time (`?wait=`), in each process. */
  maxSessionPolls: functions('MAX_SESSION_POLLS', integer(1, 10_000, 20)),
  /** How many calls of a user may wait at a time, in each process. */
  maxUserPolls: functions('MAX_USER_POLLS', integer(1, 100_000, 100)),
  /** How many calls with one API key may wait at a time, in each process, whichever users they are about. */
  maxKeyPolls: functions('MAX_KEY_POLLS', integer(1, 100_000, 500)),
  /** How many calls may wait at a time in each process. */
  maxPolls: functions('MAX_POLLS', integer(1, 1_000_000, 1_000)),
  /** How many streams of events a session may have at a time, in each process. A call that waits for events counts as one. */
  maxSessionStreams: functions('MAX_SESSION_STREAMS', integer(1, 10_000, 20)),
  /** How many streams of events a user may have at a time, in each process. */
  maxUserStreams: functions('MAX_USER_STREAMS', integer(1, 100_000, 50)),
  /** How many streams of events one API key may have at a time, in each process, whichever users they are about. */
  maxKeyStreams: functions('MAX_KEY_STREAMS', integer(1, 100_000, 2_500)),
  /** How many streams of events each process may have at a time. Each is a connection. */
  maxStreams: functions('MAX_STREAMS', integer(1, 1_000_000, 5_000)),
  /** How long a stream of events may last. Its client connects again, and goes on where it was. */
  maxStreamSeconds: functions('MAX_STREAM_SECONDS', integer(1, 86_400, 840)),
  /** How many WebSocket connections the gateway serves at a time. They count as connections too. */
  maxWebsockets: functions('MAX_WEBSOCKETS', integer(1, 1_000_000, 5_000)),
  /** How many WebSocket connections a user may have. */
  maxUserWebsockets: functions('MAX_USER_WEBSOCKETS', integer(1, 1_000, 20)),
  /**
   * How often a WebSocket connection shows that it is alive. The gateway closes it when it has not answered a ping by the next one, and
   * its session expires after three.
   */
  websocketPingMs: functions('WEBSOCKET_PING_MS', integer(1_000, 60_000, 20_000)),
  /** Which errors of runs clients see in full: those that their author marked (`marked`), or `all`. Operators see all. */
  exposeErrors: functions('EXPOSE_ERRORS', choice('marked', 'all').default('marked')),
  /** The port of the API when the gateway serves it. 0 means any free port. */
  port: functions('PORT', integer(0, 65_535, 3_000)),
  /** How many processes `functions/api.ts` serves the API with. Its limits are those of all of them together. */
  apiWorkers: functions('API_WORKERS', integer(1, 64, 1)),
  /** The address that the gateway listens on. */
  host: functions('HOST', textOf(1).default('127.0.0.1')),
  /** The port of `/metrics` of `functions/api.ts`. 0 means any free port. Without it they are not served: a host may have several APIs. */
  apiMetricsPort: functions('API_METRICS_PORT', optionalInteger(0, 65_535)),
  /**
   * For development alone, set by `npm start` and `lanekeeper dev`: the `METRICS_PORT` of the consumer on this host. Operators may kill its workers
   * (`lib/requests/kill-worker.ts`).
   */
  tryItPort: functions('TRY_IT_PORT', optionalInteger(1, 65_535)),
  /** How many connections the gateway serves at a time. It closes further ones at once. */
  maxConnections: functions('MAX_CONNECTIONS', integer(1, 1_000_000, 10_000)),
  /** The origins of web pages that may call the API from a browser, separated by commas, or `*`. */
  corsOrigins: functions('CORS_ORIGINS', origins.optional()),
  /** How long the gateway keeps an idle connection. Longer than the load balancer: else a call that is just being sent fails. */
  keepAliveMs: functions('KEEP_ALIVE_MS', integer(1_000, 3_600_000, 65_000)),
  /** How many bytes of answers may wait for clients that do not read them. Then the gateway closes the connections that wait longest. */
  maxUnreadBytes: functions('MAX_UNREAD_BYTES', integer(1_048_576, 17_179_869_184, 134_217_728)),
  /** How many bytes of unfinished bodies the gateway may hold. Then it refuses those that have taken longest as `busy`. */
  maxUploadBytes: functions('MAX_UPLOAD_BYTES', integer(1_048_576, 17_179_869_184, 67_108_864)),
} as const;
