/** The environment of the processes that `npm start` and `lanekeeper dev` run. The caller's own settings take precedence. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../../lib/config.ts';
import { environmentOfRole, resolveSecrets } from '../../lib/secrets.ts';
import type { Role } from '../../lib/settings.ts';
import { whyNotTryIt } from '../../lib/try-it.ts';
import type { Services } from '../services/ensure.ts';
import { makeFolder } from '../services/private-server.ts';
import { urlForRole } from '../services/rabbitmq-users.ts';

/** Processors that are no files, whatever else has their names. */
const builtIn = ['echo', 'webhook'];

/** With the whole path of the processor's file: the folder of the caller need not be that of the consumer. */
export const fromCaller = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const { PROCESSOR: name } = env;
  if (!name || builtIn.includes(name)) return env;
  const isPath = /^\.{0,2}\//.test(name) || statSync(name, { throwIfNoEntry: false })?.isFile();
  return isPath ? { ...env, PROCESSOR: resolve(name) } : env;
};

/** Each checkout keeps its own secret, so that tokens stay valid after a restart. */
const keptSecret = (root: string): string => {
  const file = join(makeFolder(root, '.data'), 'jwt-secret');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  return readFileSync(file, 'utf8').trim();
};

/** The caller's environment, with the values of its secrets, and with a secret to sign tokens when it names none. */
export const withSecrets = async (env: NodeJS.ProcessEnv, root: string): Promise<NodeJS.ProcessEnv> => {
  const resolved = await resolveSecrets(env, 'both');
  return { ...resolved, JWT_SECRET: resolved.JWT_SECRET || keptSecret(root) };
};

/** What a process of this role gets: the same with the servers that were chosen, and no secret of another role. */
export const environmentOf = (role: Role, env: NodeJS.ProcessEnv, services: Services): NodeJS.ProcessEnv => ({
  ...environmentOfRole(env, role),
  AUTO_MIGRATE: env.AUTO_MIGRATE || '1',
  // On the developer's own machine every caller has the same address.
  LOGINS_PER_MINUTE: env.LOGINS_PER_MINUTE || '0',
  REGISTRATIONS_PER_HOUR: env.REGISTRATIONS_PER_HOUR || '0',
  RABBITMQ_URL: services.rabbitmq.hasRoleUsers ? urlForRole(services.rabbitmq.url, role) : services.rabbitmq.url,
  MONGODB_URL: services.mongodb.url,
  QUEUE_PREFIX: env.QUEUE_PREFIX || services.rabbitmq.queuePrefix || '',
});

/** Allows "Try it" to kill workers of this start, where nobody else can call. The routes are for serverless-offline. */
export const tryItOf = (env: NodeJS.ProcessEnv, { host, metricsPort }: Pick<Config, 'host' | 'metricsPort'>) =>
  whyNotTryIt(host, env).length === 0 ? { TRY_IT_PORT: String(metricsPort), TRY_IT_ROUTES: 'on' } : {};

/** Without these serverless looks for new versions and sends statistics. */
export const quietServerless = {
  SLS_TELEMETRY_DISABLED: '1',
  SLS_TRACKING_DISABLED: '1',
  SLS_NOTIFICATIONS_MODE: 'off',
  SLS_INTERACTIVE_SETUP_ENABLE: '',
};
