/** The HTTP API as a server of its own, for containers: our gateway in the place of API Gateway. */
import { closeFunctionDeps, functionDeps } from '../lib/compose/functions.ts';
import { serveGateway } from '../lib/gateway/gateway.ts';
import { serveApiMetrics } from '../lib/gateway/serve-metrics.ts';
import { connectionsWithin, filesOfApi, warnOfFewFiles } from '../lib/open-files.ts';
import { startOrExit } from '../lib/start-or-exit.ts';

await startOrExit(async () => {
  const deps = await functionDeps();
  const { config, log } = deps;
  warnOfFewFiles(log, filesOfApi(config), `MAX_CONNECTIONS (${config.maxConnections}) and the servers`);
  const maxConnections = connectionsWithin(config.maxConnections);
  const metrics = await serveApiMetrics(deps);
  const gateway = await serveGateway({ ...config, maxConnections }, log, metrics.observe);
  log.info({ port: gateway.port }, 'API ready');

  const stop = async (signal: string) => {
    log.info({ signal }, 'API draining');
    await gateway.close(config.graceMs);
    metrics.close();
    await closeFunctionDeps();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
});
