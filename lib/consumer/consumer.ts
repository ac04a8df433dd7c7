import cluster from 'node:cluster';
import { systemClock as clock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { createLogger } from '../log.ts';
import { type OpenServers, startLaneTask } from './lane-task.ts';
import { runPrimary } from './primary.ts';
import { runWorker } from './worker.ts';

type ConsumerOptions = {
  env: NodeJS.ProcessEnv;
  /** What the primary starts as its workers: the caller itself. */
  script: string;
  openServers: OpenServers;
};

const start = async ({ env, script, openServers }: ConsumerOptions): Promise<void> => {
  const config = loadConfig(env, 'consumer');
  const role = cluster.isPrimary ? 'primary' : 'worker';
  const log = createLogger(config.logLevel, { role, pid: process.pid });
  if (cluster.isPrimary) process.exit(await runPrimary({ config, clock, log, script }));
  await runWorker({
    config,
    clock,
    log,
    start: (observers) => startLaneTask({ config, clock, log, env, openServers, ...observers }),
  });
};

/** The consumer, in whichever role node:cluster gave this process. What keeps it from starting goes to stderr, in words. */
export const runConsumer = async (options: ConsumerOptions): Promise<void> => {
  try {
    await start(options);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
};
