import type { ProcessorPolicy } from '../../../../lib/runs/policy.ts';

export const policy: ProcessorPolicy = { maxAttempts: 2, onFailure: 'block', timeoutMs: 1_500 };
export default (request: unknown) => request;
