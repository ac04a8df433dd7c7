import { z } from 'zod';
import type { Cancelled, CancelledAll } from '../requests/cancel-many.ts';
import { createOperations } from '../requests/operations.ts';
import { listOf } from './batch-input.ts';
import type { Call } from './call.ts';
import { validate } from './input.ts';

const seq = z.int().min(1).max(999_999_999_999_999);

export const cancelBody = z
  .object({
    seqs: listOf(seq).optional().meta({ description: 'These requests.' }),
    all: z.literal(true).optional().meta({ description: 'All requests that wait.' }),
    upTo: seq.optional().meta({ description: 'With `all`: only up to this `seq`; `next` of the answer before.' }),
  })
  .refine(({ seqs, all }) => (seqs === undefined) !== (all === undefined), 'must have exactly one of seqs and all')
  .refine(({ seqs, upTo }) => seqs === undefined || upTo === undefined, 'upTo belongs to all');

/** A result for each listed request, or how many of all. @throws {InvalidRequestError} 400 */
export const cancelSelected = async (call: Call): Promise<{ results: Cancelled[] } | CancelledAll> => {
  const { userQueue, deps } = call;
  const { seqs, upTo } = validate(cancelBody, call.json, 'body');
  const operations = createOperations(deps);
  return seqs ? { results: await operations.cancelListed(userQueue, seqs) } : operations.cancelAll(userQueue, { upTo });
};
