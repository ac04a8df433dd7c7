/** Replaces all workers by new ones, which load the processor's code anew. */

import type { WorkerSlot } from '../cluster/worker-slot.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';

type Reloaded = Pick<WorkerSlot, 'startSuccessor' | 'successorRuns' | 'promoteSuccessor' | 'dropSuccessor'>;
type ReloadDeps = {
  clock: Pick<Clock, 'monotonicMs'>;
  log: Logger;
  slots: Reloaded[];
  /** The consumer has been told to stop. */
  isEnding: () => boolean;
};

/** One worker loads the code before the others do: code that cannot be loaded costs one process, and is logged once. */
const startSuccessors = async ([first, ...others]: Reloaded[], isLatest: () => boolean): Promise<void> => {
  if (!(await first?.startSuccessor()) || !isLatest()) return;
  await Promise.all(others.map((slot) => slot.startSuccessor()));
};

/**
 * Each call of the returned function starts a new generation of workers. When all of them run, the workers before hand their lanes
 * over and exit. When one does not come up, the workers before go on. A call during a reload begins again, with the newest code.
 */
export const createReload = ({ clock, log, slots, isEnding }: ReloadDeps): (() => Promise<void>) => {
  let newest = 0;
  return async () => {
    if (isEnding()) return;
    newest += 1;
    const generation = newest;
    const startedMs = clock.monotonicMs();
    for (const slot of slots) slot.dropSuccessor();
    log.info({ generation }, 'reload started');
    const isLatest = () => generation === newest && !isEnding();
    await startSuccessors(slots, isLatest);
    const ms = Math.round(clock.monotonicMs() - startedMs);
    if (!isLatest()) return;
    // All of them before the first takes over: one may have exited while the others loaded.
    if (!slots.every((slot) => slot.successorRuns)) {
      for (const slot of slots) slot.dropSuccessor();
      log.error({ generation, ms }, 'reload failed: the workers with the earlier code go on');
      return;
    }
    for (const slot of slots) slot.promoteSuccessor();
    log.info({ generation, ms }, 'reload done: new workers have taken over');
  };
};
