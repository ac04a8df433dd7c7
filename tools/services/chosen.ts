/** The servers of a folder, for a command that is started beside them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cwd } from 'node:process';
import type { Role } from '../../lib/settings.ts';
import { urlForRole } from './rabbitmq-users.ts';

type Chosen = { rabbitmq: { url: string; hasRoleUsers?: boolean; queuePrefix?: string }; mongodb: { url: string } };

const read = (): Chosen | undefined => {
  const file = join(cwd(), '.data', 'services.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
};

/**
 * What `lanekeeper dev` or `npm start` of the working folder runs a role with. `undefined` when nothing was chosen there, or when the
 * environment names another server: a MongoDB of one deployment must not be used with a RabbitMQ of another.
 *
 * @param env with the values of its secrets.
 */
export const asInDevelopment = (env: NodeJS.ProcessEnv, role: Role): NodeJS.ProcessEnv | undefined => {
  const chosen = read();
  if (!chosen) return undefined;
  const { rabbitmq, mongodb } = chosen;
  const isOther = (given: string | undefined, url: string): boolean => Boolean(given) && given !== url;
  if (isOther(env.MONGODB_URL, mongodb.url) || isOther(env.RABBITMQ_URL, rabbitmq.url)) return undefined;
  return {
    ...env,
    QUEUE_PREFIX: env.QUEUE_PREFIX || rabbitmq.queuePrefix,
    RABBITMQ_URL: rabbitmq.hasRoleUsers ? urlForRole(rabbitmq.url, role) : rabbitmq.url,
    MONGODB_URL: mongodb.url,
  };
};
