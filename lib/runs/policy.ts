/** What becomes of a run that fails: by the environment, by the processor's module, and by the request itself, the last word. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { RunLimits } from '../types.ts';

export type RunPolicy = {
  /** Runs of a request before it is put aside. */
  maxAttempts: number;
  /** The shortest pause before the next attempt, and the longest. */
  retryBaseMs: number;
  retryMaxMs: number;
  /** After the last attempt the request is settled as failed (`skip`), or holds its user until a person decides (`block`). */
  onFailure: 'skip' | 'block';
  /** After so long the run's signal aborts, and the attempt counts as failed; 0: never. */
  timeoutMs: number;
};

/** What a processor's module may export as `policy`; what it leaves out is the environment's. */
export type ProcessorPolicy = Partial<RunPolicy>;

export type PolicyConfig = Pick<
  Config,
  'maxAttempts' | 'retryBaseMs' | 'retryMaxMs' | 'failurePolicy' | 'runTimeoutMs'
>;

const longestMs = 86_400_000;

/** The ranges of the environment's variables of the same meaning. */
const policySchema = z
  .strictObject({
    maxAttempts: z.number().int().min(1).max(1_000),
    retryBaseMs: z.number().int().min(1).max(3_600_000),
    retryMaxMs: z.number().int().min(1).max(longestMs),
    onFailure: z.enum(['skip', 'block']),
    timeoutMs: z.number().int().min(0).max(longestMs),
  })
  .partial();

/** Thrown when a processor's `policy` is out of range. Its message lists every fault. */
export class PolicyError extends Error {
  constructor(faults: string[]) {
    super(faults.join('; '));
    this.name = 'PolicyError';
  }
}

/** @throws {PolicyError} */
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
    onFailure: config.failurePolicy,
    timeoutMs: config.runTimeoutMs,
    ...parsed.data,
  };
  if (policy.retryMaxMs < policy.retryBaseMs) {
    throw new PolicyError([`policy: retryMaxMs (${policy.retryMaxMs}) is below retryBaseMs (${policy.retryBaseMs})`]);
  }
  return policy;
};

/** A request's own limits win. */
export const policyOfRun = (policy: RunPolicy, { maxAttempts, timeoutMs }: RunLimits): RunPolicy => ({
  ...policy,
  maxAttempts: maxAttempts ?? policy.maxAttempts,
  timeoutMs: timeoutMs ?? policy.timeoutMs,
});
