/** The HTTP API as a server of its own: one process, or a primary with several workers. */
import cluster from 'node:cluster';
import { runApiPrimary } from './api-primary.ts';
import { type OpenDeps, serveApi } from './api-process.ts';
import { runApiWorker } from './api-worker.ts';
import { serveApiMetrics } from './serve-metrics.ts';

const runAlone = async ({ functionDeps, closeFunctionDeps }: OpenDeps): Promise<void> => {
  const deps = await functionDeps();
  const metrics = await serveApiMetrics(deps);
  const gateway = await serveApi(deps, metrics.observe);
  const stop = async (signal: string) => {
    deps.log.info({ signal }, 'API draining');
    await gateway.close(deps.config.graceMs);
    metrics.close();
    await closeFunctionDeps();
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
  if (cluster.isWorker) return runApiWorker(open);
  // Opens no connection before the first call.
  const { config, log } = await open.functionDeps();
  if (config.apiWorkers === 1) return runAlone(open);
  process.exit(await runApiPrimary({ config, log, script }));
};
