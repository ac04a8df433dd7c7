/** Waits for `request.ms`, and returns its `seq` and `attempt`. */
import { setTimeout } from 'node:timers/promises';
import { type Processor, UnrecoverableError } from '../../../../lib/processor.ts';

const waiting: Processor = async (request, { seq, attempt, signal }) => {
  const { ms = 0, failUntil = 0, never = false } = request as { ms?: number; failUntil?: number; never?: boolean };
  if (never) throw new UnrecoverableError('never');
  if (attempt < failUntil) throw new Error(`attempt ${attempt} fails`);
  await setTimeout(ms, undefined, { signal });
  return { seq, attempt };
};
export default waiting;
