/** Composition root of a worker: the only file that gives it its servers and its processor. */
import { getHeapStatistics } from 'node:v8';
import { createLaneBroker } from '../broker/lane-broker.ts';
import { createPublisher } from '../broker/publisher.ts';
import type { Config } from '../config.ts';
import type { StartDeps, WorkerTask } from '../consumer/worker.ts';
import type { WorkerServers } from '../deps.ts';
import { startLaneWorker } from '../lanes/lane-worker.ts';
import type { Logger } from '../log.ts';
import type { PlanRun, RunRequest } from '../ports.ts';
import { CurrentRuns } from '../runs/current-runs.ts';
import { createIsolation } from '../runs/isolation.ts';
import { type LoadedProcessor, loadProcessor } from '../runs/load-processor.ts';
import { createPlanRun } from '../runs/plan.ts';
import { createRunRequest } from '../runs/run.ts';
import { warnWhileLoading } from '../runs/slow-load.ts';
import { outliveRejections } from '../runs/unhandled-rejections.ts';
import { checkMongodbUrl } from '../store/client-options.ts';
import { openStores } from '../store/stores.ts';
import { openTracing } from '../telemetry/open-tracing.ts';
import { createRunSpans } from '../telemetry/run-spans.ts';
import type { Tracing } from '../tracing.ts';
import { openPoster } from './poster.ts';

/** A worker with a small heap holds less than `heldBytes`: runs, results and what is on its way to MongoDB need most of it. */
const heapPerHeldByte = 8;

/** Connects on first use: a worker may start before its servers and waits for them. */
export const openWorkerServers = (config: Config, log: Logger): WorkerServers => {
  const stores = openStores(config, log);
  const publisher = createPublisher(config, log);
  const laneBroker = createLaneBroker(config, log);
  return {
    clock: stores.clock,
    userQueues: stores.userQueues,
    ledger: stores.ledger,
    lanes: stores.lanes,
    workers: stores.workers,
    publisher,
    hints: publisher.hints,
    laneBroker,
    missingIndexes: stores.missingIndexes,
    close: async () => {
      await Promise.all([stores.close(), publisher.close(), laneBroker.close()]);
    },
  };
};

/** For the primary: what its workers would refuse keeps it from starting them. @throws {ConfigError} */
export const checkServers = (config: Config): void => void checkMongodbUrl(config);

/** Where each request runs, and how. */
export type Runs = { planRun: PlanRun; runRequest: RunRequest };

/** Runs requests in this process, except those that may end it. */
export const createRuns = (
  loaded: LoadedProcessor,
  deps: StartDeps & { runs: CurrentRuns; output?: (line: string) => void },
): Runs => {
  const runHere = createRunRequest(loaded, deps);
  const isolation = createIsolation({ ...deps, policy: loaded.policy, observer: deps.isolationObserver });
  const planRun = createPlanRun(loaded.policy, deps.config, isolation.runsAlone);
  return {
    planRun,
    runRequest: (run) => (planRun({ ...run, interrupted: false }).kind === 'here' ? runHere(run) : isolation.run(run)),
  };
};

/** @throws {ConfigError} */
export const openWorkerTracing = ({ config, log }: Pick<StartDeps, 'config' | 'log'>): Promise<Tracing | undefined> =>
  openTracing(config, 'lanekeeper-consumer', log);

/** What the lanes get in place of their observer, where spans are made. */
const withSpans = ({ observer }: Pick<StartDeps, 'observer'>, tracing: Tracing | undefined) => {
  if (!tracing) return { observer };
  const { traceRun, runEnded } = createRunSpans(tracing);
  const ended: typeof runEnded = (event) => {
    runEnded(event);
    observer.runEnded(event);
  };
  return { traceRun, observer: { ...observer, runEnded: ended } };
};

type LanesOptions = { openServers?: typeof openWorkerServers; outlived?: boolean; tracing?: Tracing | undefined };

/**
 * Starts the task of a worker: its lanes, with the processor that the configuration names.
 *
 * @param openServers the tests wrap the servers here.
 * @throws {ProcessorLoadError} {ConfigError}
 */
export const startWorkerTask = async (deps: StartDeps, openServers = openWorkerServers): Promise<WorkerTask> => {
  const runs = new CurrentRuns();
  outliveRejections({ ...deps, runs, counted: () => deps.isolationObserver.rejected(1) });
  const loaded = await warnWhileLoading(() => loadProcessor(deps), deps);
  const tracing = await openWorkerTracing(deps);
  const poster = await openPoster(deps.config, deps.log);
  const observed = poster ? { ...deps, observer: poster.observe(deps.observer) } : deps;
  const task = startLanes(observed, createRuns(loaded, { ...observed, runs }), { openServers, tracing });
  if (!poster) return task;
  return { ...task, stop: () => task.stop().finally(() => poster.close()) };
};

/**
 * The lanes of a worker whose processor is loaded.
 *
 * @param outlived the process goes on after `stop`, which waits for runs that ignore their signal.
 */
export const startLanes = (
  deps: StartDeps,
  runs: Runs,
  { openServers = openWorkerServers, outlived = false, tracing }: LanesOptions = {},
): WorkerTask => {
  const { config, log } = deps;
  const servers = openServers(config, log);
  const heldBytes = Math.min(config.heldBytes, getHeapStatistics().heap_size_limit / heapPerHeldByte);
  const lanes = startLaneWorker({
    ...deps,
    ...servers,
    ...runs,
    ...withSpans(deps, tracing),
    config: { ...config, heldBytes },
  });
  return {
    snapshot: () => ({ ...lanes.snapshot(), missingIndexes: servers.missingIndexes() }),
    failed: lanes.failed,
    mustRetire: lanes.mustRetire,
    retire: () => lanes.retire(),
    noteGone: (workerId) => lanes.noteGone(workerId),
    stop: async () => {
      try {
        await lanes.stop({ outlived });
      } finally {
        await servers.close();
        await tracing?.close();
      }
    },
  };
};
