import type { Config } from '../config.ts';
import type { Deps, WorkerServers } from '../deps.ts';
import { startLaneWorker } from '../lanes/lane-worker.ts';
import type { Logger } from '../log.ts';
import type { RunRequest } from '../ports.ts';
import { mustRunIsolated } from '../runs/crash.ts';
import { createIsolation, type IsolationObserver } from '../runs/isolation.ts';
import { type LoadedProcessor, loadProcessor } from '../runs/load-processor.ts';
import { createRunRequest } from '../runs/run.ts';
import type { WorkerTask } from './worker.ts';

export type OpenServers = (config: Config, log: Logger) => WorkerServers;

type LaneTaskDeps = Pick<Deps, 'config' | 'clock' | 'log' | 'observer'> & {
  isolationObserver: IsolationObserver;
  env: NodeJS.ProcessEnv;
  openServers: OpenServers;
};

/** Runs here, in the worker, what may run beside others, and alone what may not. */
const createRuns = (loaded: LoadedProcessor, deps: LaneTaskDeps): RunRequest => {
  const { isolationObserver, config } = deps;
  const here = createRunRequest(loaded, deps);
  const alone = createIsolation({ ...deps, policy: loaded.policy, observer: isolationObserver });
  return (run) => (mustRunIsolated(run, config.maxCrashes) ? alone(run) : here(run));
};

/**
 * The task of a real worker: its lanes, over the processor that the configuration names.
 *
 * @throws {ProcessorLoadError}
 */
export const startLaneTask = async (deps: LaneTaskDeps): Promise<WorkerTask> => {
  const { config, log, openServers } = deps;
  const loaded = await loadProcessor(deps);
  const servers = openServers(config, log);
  const lanes = startLaneWorker({ ...deps, ...servers, runRequest: createRuns(loaded, deps) });
  return {
    failed: lanes.failed,
    snapshot: lanes.snapshot,
    stop: async () => {
      await lanes.stop();
      await servers.close();
    },
  };
};
