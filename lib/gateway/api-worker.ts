/** One of several processes that serve the API: it shares the port with the others. */
import { Registry } from 'prom-client';
import { createLifecycle } from '../cluster/lifecycle.ts';
import { exitCodes } from '../cluster/messages.ts';
import { linkToPrimary } from '../cluster/primary-link.ts';
import type { FunctionDeps } from '../deps.ts';
import { AppError } from '../errors.ts';
import { reportEveryMs } from '../runs/supervision.ts';
import { createApiMetrics } from './api-metrics.ts';
import { closeGently, type OpenDeps, serveApi } from './api-process.ts';
import type { Gateway } from './gateway.ts';
import { readRoutes } from './routes.ts';
import { type ServedMetrics, unserved } from './serve-metrics.ts';

/** A worker that does not report for this long is killed: its event loop does not turn, or the process is frozen. */
export const workerHangMs = 10_000;

/** The primary serves the metrics of all workers. */
const metricsOf = async (deps: FunctionDeps): Promise<{ registry: Registry; observe: ServedMetrics['observe'] }> => {
  if (deps.config.apiMetricsPort === undefined) return { registry: new Registry(), observe: unserved.observe };
  return createApiMetrics(
    (await readRoutes()).map(({ path }) => path),
    deps,
  );
};

/**
 * Serves the API until SIGTERM or SIGINT, or until the primary has exited; the primary decides about further signals. Ends the process.
 */
export const runApiWorker = async ({ functionDeps, closeFunctionDeps }: OpenDeps): Promise<void> => {
  const deps = await functionDeps();
  const { log } = deps;
  const { registry, observe } = await metricsOf(deps);
  const life = createLifecycle((to) => log.info({ state: to }, `API worker ${to}`));
  let gateway: Gateway | undefined;

  const stop = async (reason: string): Promise<void> => {
    if (life.state === 'draining') return;
    log.info({ reason }, 'API draining');
    life.become('draining');
    link.report();
    if (gateway) await closeGently(gateway, deps);
    await link.sendFinalReport();
    await closeFunctionDeps();
    process.exit(exitCodes.stopped);
  };
  const link = linkToPrimary({
    everyMs: reportEveryMs(workerHangMs),
    registry,
    report: () => ({ state: life.state }),
    primaryGone: () => void stop('the primary has exited'),
    replaced: () => undefined,
    workerGone: () => undefined,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));

  try {
    gateway = await serveApi(deps, observe);
  } catch (error) {
    // The port is taken: a restart would not change that.
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitCodes.nonRestartable);
  }
  if (life.state !== 'starting') return;
  life.become('running');
  link.report();
};
