/** Decides where a request runs next: in its worker, isolated, or not at all. Pure functions over plain data. */
import type { PlanRun } from '../ports.ts';
import { mustRunIsolated } from './crash.ts';
import { deadLetterOutcome } from './outcome.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';

const interruptedError = {
  name: 'RunInterruptedError',
  message: 'The run was interrupted, and the request must not run twice. Whether its work was done is unknown',
};

export const createPlanRun =
  (loaded: RunPolicy, { maxCrashes }: { maxCrashes: number }): PlanRun =>
  ({ limits, interruptions, interrupted }) => {
    const policy = policyOfRun(loaded, limits);
    if (interrupted && policy.onInterruption === 'dead-letter') {
      return { kind: 'dead-letter', outcome: deadLetterOutcome(interruptedError, 'interrupted', policy) };
    }
    const isolated = mustRunIsolated({ interruptions: interruptions + (interrupted ? 1 : 0) }, maxCrashes);
    return isolated ? { kind: 'isolated' } : { kind: 'here', timeoutMs: policy.timeoutMs };
  };
