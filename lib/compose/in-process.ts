/** Composition root of a consumer that is no process of its own: a worker inside the process of the library's caller. */
import { systemClock as clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { createWorkerMetrics } from '../consumer/metrics.ts';
import type { StartDeps, WorkerTask } from '../consumer/worker.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { PlanRun } from '../ports.ts';
import type { Processor, ProcessorPolicy } from '../processor.ts';
import { CurrentRuns } from '../runs/current-runs.ts';
import { type LoadedProcessor, loadProcessor } from '../runs/load-processor.ts';
import { deadLetterOutcome } from '../runs/outcome.ts';
import { createPlanRun } from '../runs/plan.ts';
import { decidePolicy, PolicyError, policyOfRun, type RunPolicy } from '../runs/policy.ts';
import { createRunRequest } from '../runs/run.ts';
import { ownError } from '../runs/run-error.ts';
import type { RunLimits } from '../types.ts';
import { createRuns, openWorkerTracing, type Runs, startLanes } from './worker.ts';

/**
 * A function has no other process: one request that may have ended this one runs at a time, so that only one can be blamed. `2` gives
 * the one place for runs that must be alone, and one that no run of a function takes.
 */
const processesForSuspects = 2;

const crashedError = (crashes: number) =>
  ownError('ProcessorCrashedError', `The process of the run ended ${crashes} times in a row during this request`);

const policyFor = (own: ProcessorPolicy | undefined, config: Config): RunPolicy => {
  try {
    return decidePolicy(own, config);
  } catch (cause) {
    throw cause instanceof PolicyError ? new ConfigError([cause.message], 'options') : cause;
  }
};

type FunctionDeps = Pick<StartDeps, 'config' | 'clock' | 'log'> & { runs: CurrentRuns };

/** All runs are in this process. A request whose runs ended it `maxCrashes` times in a row is dead-lettered instead of being run again. */
export const createRunsOfFunction = (loaded: LoadedProcessor, deps: FunctionDeps): Runs => {
  const { maxCrashes, isolatedRunTimeoutMs } = deps.config;
  const runHere = createRunRequest(loaded, deps);
  const planByPolicy = createPlanRun(loaded.policy, deps.config, () => true);
  const timeoutOfSuspect = (limits: RunLimits) => policyOfRun(loaded.policy, limits).timeoutMs || isolatedRunTimeoutMs;
  const planRun: PlanRun = (next) => {
    const plan = planByPolicy(next);
    return plan.kind === 'alone' ? { ...plan, timeoutMs: timeoutOfSuspect(next.limits) } : plan;
  };
  return {
    planRun,
    runRequest: (run) => {
      if (planRun({ ...run, interrupted: false }).kind === 'here') return runHere(run);
      const policy = policyOfRun(loaded.policy, run.limits);
      if (run.interruptions >= maxCrashes)
        return Promise.resolve(deadLetterOutcome(crashedError(run.interruptions), 'crashed', policy));
      return runHere({ ...run, limits: { ...run.limits, timeoutMs: timeoutOfSuspect(run.limits) } });
    },
  };
};

type InProcessOptions = {
  config: Config;
  log: Logger;
  /** For the processes of isolated runs. */
  env: NodeJS.ProcessEnv;
  /** Gets each line that they print. */
  output: (line: string) => void;
  /** A function with its policy. Without it, the module that `config.processor` names. */
  own?: { processor: Processor; policy: ProcessorPolicy | undefined };
};

export type InProcessWorker = WorkerTask & { metrics(): Promise<string> };

/**
 * Starts a worker in this process. It leaves signals and unhandled rejections to the process.
 *
 * @throws {ProcessorLoadError} {ConfigError}
 */
export const startInProcess = async ({ config, log, env, output, own }: InProcessOptions): Promise<InProcessWorker> => {
  let task: WorkerTask | undefined;
  const { registry, ...observers } = createWorkerMetrics({ clock, log, snapshot: () => task?.snapshot() });
  const suspects = own ? { isolatedProcesses: processesForSuspects } : {};
  const deps = { config: { ...config, ...suspects }, clock, log, env, ...observers, runs: new CurrentRuns() };
  // The load is not watched: the watch pauses the main thread and prints, and this process is the caller's.
  const runs = own
    ? createRunsOfFunction({ processor: own.processor, policy: policyFor(own.policy, config) }, deps)
    : createRuns(await loadProcessor(deps), { ...deps, output });
  task = startLanes(deps, runs, { outlived: true, tracing: await openWorkerTracing(deps) });
  return { ...task, metrics: () => registry.metrics() };
};
