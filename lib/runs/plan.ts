/** Decides where a request runs next: in its worker, isolated, or not at all. Pure functions over plain data. */
import type { PlanRun } from '../ports.ts';
import type { EntryId } from '../types.ts';
import { mustRunIsolated } from './crash.ts';
import { deadLetterOutcome } from './outcome.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';

const interruptedError = {
  name: 'RunInterruptedError',
  message: 'The run was interrupted, and the request must not run twice. Whether its work was done is unknown',
  exposed: true,
};

/** @param runsAlone which isolated runs must have a process of their own. */
export const createPlanRun =
  (
    loaded: RunPolicy,
    { maxCrashes }: { maxCrashes: number },
    runsAlone: (id: EntryId, policy: RunPolicy) => boolean = () => false,
  ): PlanRun =>
  ({ userId, seq, limits, interruptions, interrupted }) => {
    const policy = policyOfRun(loaded, limits);
    if (interrupted && policy.onInterruption === 'dead-letter') {
      return { kind: 'dead-letter', outcome: deadLetterOutcome(interruptedError, 'interrupted', policy) };
    }
    const isolated = mustRunIsolated({ interruptions: interruptions + (interrupted ? 1 : 0) }, maxCrashes);
    if (!isolated) return { kind: 'here', timeoutMs: policy.timeoutMs };
    return { kind: runsAlone({ userId, seq }, policy) ? 'alone' : 'isolated' };
  };
