/** The environment of the processes that `npm start` runs. The caller's own settings take precedence. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Services } from '../services/ensure.ts';
import { makeFolder } from '../services/private-server.ts';

/** Each checkout keeps its own secret, so that tokens stay valid after a restart. */
const keptSecret = (root: string): string => {
  const file = join(makeFolder(root, '.data'), 'jwt-secret');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  return readFileSync(file, 'utf8').trim();
};

/** The caller's environment, with a secret when it has none. */
export const withSecret = (env: NodeJS.ProcessEnv, root: string): NodeJS.ProcessEnv =>
  env.JWT_SECRET || env.JWT_SECRET_ID ? env : { ...env, JWT_SECRET: keptSecret(root) };

/** The same with the servers that were chosen. */
export const withServices = (env: NodeJS.ProcessEnv, services: Services): NodeJS.ProcessEnv => ({
  ...env,
  RABBITMQ_URL: services.rabbitmq.url,
  MONGODB_URL: services.mongodb.url,
  QUEUE_PREFIX: env.QUEUE_PREFIX || services.rabbitmq.queuePrefix || '',
});

/** Without these serverless looks for new versions and sends statistics. */
export const quietServerless = {
  SLS_TELEMETRY_DISABLED: '1',
  SLS_TRACKING_DISABLED: '1',
  SLS_NOTIFICATIONS_MODE: 'off',
  SLS_INTERACTIVE_SETUP_ENABLE: '',
};
