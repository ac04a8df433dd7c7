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

/** Nothing is counted. */
export const unserved: ServedMetrics = { observe: (_request, _response, next) => next(), close: () => undefined };

/** Serves what `metrics` returns. Returns what stops it. @throws {CannotListenError} */
export const serveMetrics = async (
  { config, log, port }: Pick<FunctionDeps, 'config' | 'log'> & { port: number },
  metrics: () => Promise<string>,
  metricsType: string,
): Promise<() => void> => {
  const host = config.metricsHost;
  const served = await openEndpoints({ host, port, portSetting: 'API_METRICS_PORT', log, metrics, metricsType });
  log.info({ host, port: served.port }, 'serving /metrics');
  return served.close;
};

/** Serves the metrics of the API on `API_METRICS_PORT`. Without it nothing is served and nothing counted. @throws {CannotListenError} */
export const serveApiMetrics = async (
  deps: Pick<FunctionDeps, 'config' | 'log' | 'longPolls' | 'feed' | 'overviews' | 'websockets' | 'health'>,
): Promise<ServedMetrics> => {
  const { apiMetricsPort: port } = deps.config;
  if (port === undefined) return unserved;
  const paths = (await readRoutes()).map(({ path }) => path);
  const { registry, observe } = createApiMetrics(paths, deps);
  return { observe, close: await serveMetrics({ ...deps, port }, () => registry.metrics(), registry.contentType) };
};
