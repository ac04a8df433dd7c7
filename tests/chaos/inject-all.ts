import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../system/monotonic.ts';
import type { Faults, Injected } from './faults.ts';
import type { PlannedFault } from './plan.ts';

/** Injects every fault at its time, until the signal aborts. Resolves when the last one is over. */
export const injectAll = async (faults: Faults, plan: PlannedFault[], signal?: AbortSignal): Promise<Injected[]> => {
  const startedAt = monotonicMs();
  const injections: Promise<Injected | undefined>[] = [];
  for (const planned of plan) {
    const waitMs = Math.max(0, startedAt + planned.atMs - monotonicMs());
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal?.aborted) break;
    const injection = faults.inject(planned);
    // A failure ends the run below. Until then nobody waits for this one, and the process would end with its servers left behind.
    injection.catch(() => undefined);
    injections.push(injection);
  }
  return (await Promise.all(injections)).filter((injected) => injected !== undefined);
};
