/** `lanekeeper services [--yes]` starts the servers that are missing; `--stop` stops those that were started here. */
import { env } from 'node:process';
import { Command } from 'commander';
import { root, runTool, say } from '../run-tool.ts';

const services = async ({ stop, yes }: { stop?: true; yes?: true }): Promise<void> => {
  const { ensureServices, stopServices } = await import('../services/ensure.ts');
  if (stop) return stopServices({ root, say });
  const { resolveSecrets } = await import('../../lib/secrets.ts');
  await ensureServices({ root, env: await resolveSecrets(env, 'consumer'), say, yes, explain: true });
};

export const command = (): Command =>
  new Command()
    .option('--stop', 'stop the servers that were started here; their data stays')
    .option('--yes', 'install or download what is missing without asking')
    .action((options) => runTool(() => services(options)));
