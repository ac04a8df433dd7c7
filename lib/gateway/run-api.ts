/** The HTTP API as a server of its own: one process, or a primary with several workers. */
import cluster from 'node:cluster';
import { isApiWorker } from '../cluster/api-workers.ts';
import { ConfigError } from '../config.ts';
import { runApiPrimary } from './api-primary.ts';
import { closeGently, type OpenDeps, serveApi } from './api-process.ts';
import { runApiWorker } from './api-worker.ts';
import { serveApiMetrics } from './serve-metrics.ts';

const runAlone = async ({ functionDeps, closeFunctionDeps }: OpenDeps): Promise<void> => {
  const deps = await functionDeps();
  const metrics = await serveApiMetrics(deps);
  const gateway = await serveApi(deps, metrics.observe);
  const stop = async (signal: string) => {
    deps.log.info({ signal }, 'API draining');
    await closeGently(gateway, deps);
    metrics.close();
    await closeFunctionDeps();
    // The channel to the primary of another program would keep the process alive.
    if (cluster.isWorker && process.connected) process.disconnect();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
};

/**
 * Serves the API until SIGTERM or SIGINT.
 *
 * @param script the caller's own file: with more than one worker the primary starts it again as each of them.
 * @throws {ConfigError} {CannotServeError} {CannotListenError}
 */
export const runApi = async (script: string, open: OpenDeps): Promise<void> => {
  if (isApiWorker()) return runApiWorker(open);
  // Opens no connection before the first call.
  const { config, log } = await open.functionDeps();
  if (config.apiWorkers === 1) return runAlone(open);
  if (cluster.isWorker)
    throw new ConfigError([
      'API_WORKERS must be 1 in a process that another program runs as a worker of its own cluster',
    ]);
  process.exit(await runApiPrimary({ config, log, script }));
};
