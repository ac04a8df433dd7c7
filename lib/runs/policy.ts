/** The policy of a run comes from the environment, the processor's module and the request; each wins over the one before. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { attemptsRange, retryAfterMaxRange, retryBaseRange, retryMaxRange, runTimeoutRange } from '../limits.ts';
import type { ProcessorPolicy } from '../processor.ts';
import { interruptionPolicies, type RunLimits } from '../types.ts';

/** A policy with every value decided, and how far a request may go beyond it: the operator's ceilings. */
export type RunPolicy = Required<ProcessorPolicy> & { ceilings: { timeoutMs: number; maxAttempts: number } };

export type PolicyConfig = Pick<
  Config,
  | 'maxAttempts'
  | 'retryBaseMs'
  | 'retryMaxMs'
  | 'retryAfterMaxMs'
  | 'failurePolicy'
  | 'runTimeoutMs'
  | 'interruptionPolicy'
  | 'maxRunTimeoutMs'
  | 'maxRequestAttempts'
>;

const integerIn = ({ min, max }: { min: number; max: number }) => z.number().int().min(min).max(max);

const policySchema = z
  .strictObject({
    maxAttempts: integerIn(attemptsRange),
    retryBaseMs: integerIn(retryBaseRange),
    retryMaxMs: integerIn(retryMaxRange),
    retryAfterMaxMs: integerIn(retryAfterMaxRange),
    onFailure: z.enum(['skip', 'block']),
    timeoutMs: integerIn(runTimeoutRange),
    onInterruption: z.enum(interruptionPolicies),
  })
  .partial();

/** Thrown when a processor's `policy` is out of range. Its message lists every validation error. */
export class PolicyError extends Error {
  constructor(problems: string[]) {
    super(problems.join('; '));
    this.name = 'PolicyError';
  }
}

/**
 * @param own what the processor's module exports as `policy`.
 * @throws {PolicyError}
 */
export const decidePolicy = (own: unknown, config: PolicyConfig): RunPolicy => {
  const parsed = policySchema.safeParse(own ?? {});
  if (!parsed.success) {
    throw new PolicyError(
      parsed.error.issues.map(({ path, message }) => `${['policy', ...path].join('.')}: ${message}`),
    );
  }
  const policy: RunPolicy = {
    maxAttempts: config.maxAttempts,
    retryBaseMs: config.retryBaseMs,
    retryMaxMs: config.retryMaxMs,
    retryAfterMaxMs: config.retryAfterMaxMs,
    onFailure: config.failurePolicy,
    timeoutMs: config.runTimeoutMs,
    onInterruption: config.interruptionPolicy,
    ceilings: { timeoutMs: config.maxRunTimeoutMs, maxAttempts: config.maxRequestAttempts },
    ...parsed.data,
  };
  if (policy.retryMaxMs < policy.retryBaseMs) {
    throw new PolicyError([`policy: retryMaxMs (${policy.retryMaxMs}) is below retryBaseMs (${policy.retryBaseMs})`]);
  }
  return policy;
};

/**
 * A request never goes beyond the ceilings of today, although it was accepted under those of another day. It may be stricter about
 * interruptions than the policy, and never less strict.
 */
export const policyOfRun = (policy: RunPolicy, { maxAttempts, timeoutMs, onInterruption }: RunLimits): RunPolicy => ({
  ...policy,
  maxAttempts: maxAttempts === undefined ? policy.maxAttempts : Math.min(maxAttempts, policy.ceilings.maxAttempts),
  timeoutMs: timeoutMs === undefined ? policy.timeoutMs : Math.min(timeoutMs, policy.ceilings.timeoutMs),
  onInterruption: onInterruption === 'dead-letter' ? onInterruption : policy.onInterruption,
});
