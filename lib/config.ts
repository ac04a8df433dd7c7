/** The configuration: what the environment says, checked once at start. */
import type { z } from 'zod';
import { ConfigError } from './errors.ts';
import { type Role, settings } from './settings.ts';
import { whyNotTryIt } from './try-it.ts';

export { ConfigError };

type Settings = typeof settings;

/** `keyof` stands in each mapped type itself: only then do editors show the docstrings of the table. */
export type Config = { readonly [K in keyof Settings]: z.output<Settings[K]['schema']> };

/** What functions may read. A setting that only the consumer reads does not reach them: serverless.yml leaves it out. */
export type FunctionConfig = {
  readonly [K in keyof Config as Settings[K]['readBy'] extends 'consumer' ? never : K]: Config[K];
};

type Environment = { readonly [K in keyof Settings as Settings[K]['name']]: Settings[K]['schema'] };

/** The schema of every environment variable, by the variable's name. */
export const environment = Object.fromEntries(
  Object.values(settings).map(({ name, schema }) => [name, schema]),
) as unknown as Environment;

/** Why a variable is required that may be missing otherwise. Each role asks only for what it reads. */
const requiredOf: Record<Role, (config: Partial<Config>) => [name: string, why: string][]> = {
  functions: ({ registration }) => [
    ['JWT_SECRET', ': the secret that signs tokens. It may also come from JWT_SECRET_FILE or JWT_SECRET_ID'],
    ...(registration === 'invite' ? [['INVITE_SECRET', ' when REGISTRATION is invite'] as [string, string]] : []),
  ],
  consumer: ({ processor }) =>
    processor === 'webhook'
      ? ['WEBHOOK_URL', 'WEBHOOK_SECRET'].map((name) => [name, ' when PROCESSOR is webhook'])
      : [],
};

/** Of bodies or answers, for each worker of the API: as the least of the settings. */
const minWorkerBytes = 1_048_576;

/** Each worker of the API has its part of these. */
const workerConflicts = ({ apiWorkers = 1, maxUploadBytes, maxUnreadBytes }: Partial<Config>): string[] => {
  const least = apiWorkers * minWorkerBytes;
  return Object.entries({ MAX_UPLOAD_BYTES: maxUploadBytes, MAX_UNREAD_BYTES: maxUnreadBytes })
    .filter(([, bytes = Infinity]) => bytes < least)
    .map(([name]) => `${name} must be at least ${least}: ${minWorkerBytes} for each of API_WORKERS (${apiWorkers})`);
};

/** What must hold between several settings. A setting that is invalid itself is missing in `config`. */
const conflictsIn = (config: Partial<Config>, env: NodeJS.ProcessEnv, role: Role): string[] => {
  const { retryBaseMs = 0, retryMaxMs = Infinity, tryItPort, host = '' } = config;
  return [
    ...(retryMaxMs < retryBaseMs ? [`RETRY_MAX_MS must be at least RETRY_BASE_MS (${retryBaseMs})`] : []),
    ...(role === 'functions' ? workerConflicts(config) : []),
    ...(tryItPort === undefined ? [] : whyNotTryIt(host, env).map((why) => `TRY_IT_PORT is for development: ${why}`)),
    ...requiredOf[role](config)
      .filter(([name]) => !env[name])
      .map(([name, why]) => `${name} is required${why}`),
  ];
};

/**
 * Reads the environment, once, at start.
 *
 * @param env with the values of all secrets (`resolveSecrets`).
 * @throws {ConfigError} It lists every validation error.
 */
export const loadConfig = (env: NodeJS.ProcessEnv, role: Role): Config => {
  const validationErrors: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, { name, schema }] of Object.entries(settings)) {
    const parsed = schema.safeParse(env[name] || undefined);
    if (parsed.success) config[key] = parsed.data;
    else validationErrors.push(...parsed.error.issues.map(({ message }) => `${name} ${message}`));
  }
  validationErrors.push(...conflictsIn(config as Partial<Config>, env, role));
  if (validationErrors.length > 0) throw new ConfigError(validationErrors);
  return config as Config;
};
