import type { Config } from '../config.ts';
import type { Deps, WorkerServers } from '../deps.ts';
import { startLaneWorker } from '../lanes/lane-worker.ts';
import type { Logger } from '../log.ts';
import { loadProcessor } from './load-processor.ts';
import { createRunRequest } from './run.ts';
import type { WorkerTask } from './worker.ts';

export type OpenServers = (config: Config, log: Logger) => WorkerServers;

type LaneTaskDeps = Pick<Deps, 'config' | 'clock' | 'log' | 'observer'> & { openServers: OpenServers };

/**
 * The task of a real worker: its lanes, over the processor that the configuration names.
 *
 * @throws {ProcessorLoadError}
 */
export const startLaneTask = async (deps: LaneTaskDeps): Promise<WorkerTask> => {
  const { config, log, openServers } = deps;
  const processor = await loadProcessor(deps);
  const servers = openServers(config, log);
  const lanes = startLaneWorker({ ...deps, ...servers, runRequest: createRunRequest(processor, deps) });
  return {
    snapshot: lanes.snapshot,
    stop: async () => {
      await lanes.stop();
      await servers.close();
    },
  };
};
