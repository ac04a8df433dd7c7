import cluster from 'node:cluster';
import { systemClock as clock } from '../clock.ts';
import { untilNeeded } from '../cluster/spare-workers.ts';
import { type Config, loadConfig } from '../config.ts';
import { createLogger } from '../log.ts';
import { filesOfWorker, warnOfFewFiles } from '../open-files.ts';
import { environmentOfRuns, hideSecrets, resolveSecrets } from '../secrets.ts';
import { startOrExit } from '../start-or-exit.ts';
import { runPrimary } from './primary.ts';
import { runWorker, type StartTask } from './worker.ts';

type ConsumerOptions = {
  env: NodeJS.ProcessEnv;
  /** The caller's own file: the primary starts it again as each of its workers. */
  script: string;
  startTask: StartTask;
  /** Checks what the environment says about the servers. @throws {ConfigError} */
  checkServers?: (config: Config) => void;
  /** Called in the primary when the first worker runs. */
  running?: () => void;
};

const start = async ({ env, script, startTask, checkServers, running }: ConsumerOptions): Promise<void> => {
  await untilNeeded(env);
  const given = await resolveSecrets(env, 'consumer');
  const config = loadConfig(given, 'consumer');
  checkServers?.(config);
  const role = cluster.isPrimary ? 'primary' : 'worker';
  const log = createLogger(config.logLevel, { role, pid: process.pid });
  if (cluster.isPrimary) {
    const what = `a worker with CONCURRENCY (${config.concurrency}), its children and the servers`;
    warnOfFewFiles(log, filesOfWorker(config), what);
    const ecsAgentUri = env.ECS_AGENT_URI;
    process.exit(await runPrimary({ config, clock, log, script, running, ecsAgentUri }));
  }
  // Processors run in this process, and often log or report their environment.
  hideSecrets(env);
  await runWorker({ config, clock, log, env: environmentOfRuns(given), startTask });
};

/** Runs the consumer in the role that node:cluster gave this process. An error that keeps it from starting goes to stderr. */
export const runConsumer = (options: ConsumerOptions): Promise<void> => startOrExit(() => start(options));
