import type { Processor, ProcessorPolicy } from '../../lib/processor.ts';

export const policy: ProcessorPolicy = { maxAttempts: 2, retryBaseMs: 10, retryMaxMs: 20 };

/** Fails for lists, so that there are dead letters to decide; echoes everything else. */
const processor: Processor = async (request) => {
  if (Array.isArray(request)) throw new Error('a list');
  return request;
};

export default processor;
