/** A worker that must go, because only the end of its process ends a run, and that interrupts no other run. */
import { sleep } from '../clock.ts';
import { withTimeout } from '../timeout.ts';
import type { LaneDeps, WorkerContext } from './context.ts';
import type { LaneKeeper } from './lane-keeper.ts';
import { areOnlyRunsSince } from './lend-runs.ts';
import { persist } from './persist.ts';

const checkEveryMs = 100;

/** Whether no run is left but those that an operator ended and that ignore their signal, and those whose lane was lost. */
const onlyUselessRunsLeft = (keeper: LaneKeeper, { underWay, unresponsive }: WorkerContext): boolean =>
  keeper.all().every(({ users }) => areOnlyRunsSince(Number.POSITIVE_INFINITY, users.all())) &&
  [...underWay.all()].every((run) => (run.isEnded ? unresponsive.has(run) : run.signal.aborted && !run.lentOut));

/** Call it when every lane is handed over. Resolves when the process may exit. */
export const whenOnlyUselessRunsLeft = async (keeper: LaneKeeper, context: WorkerContext): Promise<void> => {
  while (!onlyUselessRunsLeft(keeper, context)) await sleep(context.deps.clock, checkEveryMs);
};

/**
 * Resolves when no run goes on, with what is left of `work` done where MongoDB answers in time: the outcomes are recorded. A run whose
 * outcome is not recorded is repeated.
 */
export const whenNoRunsLeft = async (work: Promise<void>, { deps, underWay, runs }: WorkerContext): Promise<void> => {
  while (underWay.size > 0) await sleep(deps.clock, checkEveryMs);
  const recorded = Promise.all([work, ...runs.values()]);
  await withTimeout(deps.clock, deps.config.storeTimeoutMs, recorded, () => undefined);
};

/** The process of that worker has exited. The owners of what it has lent out need not wait until its heartbeat is old. */
export const reportGone = async (
  workerId: string,
  signal: AbortSignal,
  { clock, workers }: Pick<LaneDeps, 'clock' | 'workers'>,
): Promise<void> => {
  const report = () => workers.report({ workerId, lanes: [], unresponsive: [], gone: true, at: clock.now() });
  await persist(clock, () => !signal.aborted, report);
};
