/** Administers a private RabbitMQ. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { promisify } from 'node:util';
import type { PrivateServer } from './private-servers.ts';

const run = promisify(execFile);
const program = ['/usr/lib/rabbitmq/bin/rabbitmqctl'].find(existsSync) ?? 'rabbitmqctl';

/** Runs one command, such as `set_vhost_limits`. Returns what it printed. */
export const rabbitmqctl = async ({ folder }: Pick<PrivateServer, 'folder'>, ...args: string[]): Promise<string> => {
  const { ports } = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as { ports: { epmd: number } };
  const { stdout } = await run(program, ['--quiet', ...args], {
    env: {
      PATH: env.PATH,
      LANG: 'C.UTF-8',
      HOME: join(folder, 'home'),
      ERL_EPMD_PORT: String(ports.epmd),
      RABBITMQ_NODENAME: 'lanekeeper@localhost',
      RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
    },
  });
  return stdout;
};
