import type { RunPolicy } from '../../../lib/runs/policy.ts';

export const testPolicy: RunPolicy = {
  maxAttempts: 3,
  retryBaseMs: 100,
  retryMaxMs: 1_000,
  retryAfterMaxMs: 86_400_000,
  onFailure: 'skip',
  timeoutMs: 0,
  onInterruption: 'rerun',
  ceilings: { timeoutMs: 86_400_000, maxAttempts: 1_000 },
};
