import type { RequestHandler } from 'express';
import type { FunctionDeps } from '../deps.ts';
import { openEndpoints } from '../endpoints.ts';
import { createApiMetrics } from './api-metrics.ts';
import { readRoutes } from './routes.ts';

export type ServedMetrics = {
  /** For `serveGateway`. */
  observe: RequestHandler;
  close(): void;
};

const unserved: ServedMetrics = { observe: (_request, _response, next) => next(), close: () => undefined };

/** Serves the metrics of the API on `API_METRICS_PORT`. Without it nothing is served and nothing counted. @throws {CannotListenError} */
export const serveApiMetrics = async (
  deps: Pick<FunctionDeps, 'config' | 'log' | 'longPolls' | 'health'>,
): Promise<ServedMetrics> => {
  const { config, log } = deps;
  if (config.apiMetricsPort === undefined) return unserved;
  const paths = (await readRoutes()).map(({ path }) => path);
  const { registry, observe } = createApiMetrics(paths, deps);
  const { port, close } = await openEndpoints({
    host: config.metricsHost,
    port: config.apiMetricsPort,
    portSetting: 'API_METRICS_PORT',
    log,
    metrics: () => registry.metrics(),
    metricsType: registry.contentType,
  });
  log.info({ host: config.metricsHost, port }, 'serving /metrics');
  return { observe, close };
};
