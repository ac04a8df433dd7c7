import type { ProcessorPolicy } from '../../../../lib/processor.ts';

export const policy: ProcessorPolicy = {
  maxAttempts: 2,
  onFailure: 'block',
  timeoutMs: 1_500,
  onInterruption: 'dead-letter',
};
export default (request: unknown) => request;
