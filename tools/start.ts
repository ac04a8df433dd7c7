/** `npm start [-- --yes] [-- --verbose] [-- --json]`: the servers that are missing, the API and the consumer, until Ctrl-C. */
import { availableParallelism } from 'node:os';
import { chdir, env } from 'node:process';
import { parseArgs } from 'node:util';
import { root, runTool } from './run-tool.ts';
import { runStart } from './start/run.ts';

await runTool(async () => {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ options: { yes: flag, verbose: flag, json: flag } });
  // npm changes to the folder of the package. Paths in the environment are meant from where the caller is.
  if (env.INIT_CWD) chdir(env.INIT_CWD);
  // With two workers a failover can be watched.
  const WORKERS = env.WORKERS || String(Math.max(2, availableParallelism()));
  await runStart({ command: 'npm start', folder: root, env: { ...env, WORKERS }, ...values });
});
