/**
 * `lanekeeper services [--yes] [--cluster]` starts the servers that are missing and prints what to export: `eval "$(npx lanekeeper services)"`.
 * `--stop` stops those that were started here.
 */
import { cwd, env, stdout } from 'node:process';
import { Command } from 'commander';
import { runTool, sayAside } from '../run-tool.ts';

type Options = { stop?: true; yes?: true; json?: true; cluster?: true };

/** For any POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const services = async ({ stop, yes, json, cluster }: Options): Promise<void> => {
  const { ensureServices, stopServices } = await import('../services/ensure.ts');
  const place = { root: cwd(), say: sayAside };
  if (stop) return stopServices(place);
  const { resolveSecrets } = await import('../../lib/secrets.ts');
  const given = await resolveSecrets(env, 'consumer');
  const { rabbitmq, mongodb } = await ensureServices({ ...place, env: given, yes, cluster, explain: true });
  const queuePrefix = env.QUEUE_PREFIX || rabbitmq.queuePrefix;
  const variables = {
    RABBITMQ_URL: rabbitmq.url,
    MONGODB_URL: mongodb.url,
    ...(queuePrefix && { QUEUE_PREFIX: queuePrefix }),
    ...(cluster && { LANE_QUEUE_TYPE: 'quorum' }),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  stdout.write(`${json ? JSON.stringify(variables) : lines.join('\n')}\n`);
};

export const command = (): Command =>
  new Command()
    .option('--stop', 'stop the servers that were started here; their data stays')
    .option('--yes', 'install or download what is missing without asking')
    .option('--cluster', 'RabbitMQ 4 as a cluster of three nodes')
    .option('--json', 'print the variables as JSON instead of export lines')
    .addHelpText(
      'after',
      '\nWhat was chosen, and why, goes to stderr. Use it in a shell: eval "$(npx lanekeeper services)"',
    )
    .action((options) => runTool(() => services(options)));
