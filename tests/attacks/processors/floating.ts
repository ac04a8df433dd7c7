/** Leaves rejected promises unhandled, in its run or after it, as `request.floats` says. Goes on until there is a file `request.until`. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Processor } from '../../../lib/processor.ts';

const processor: Processor = async (request, { attempt }) => {
  const { floats, until } = request as { floats?: 'now' | 'later'; until?: string };
  if (floats === 'now') Promise.reject(new Error('nobody awaits this'));
  if (floats === 'later') setTimeout(() => Promise.reject(new Error('nobody awaits this')), 50);
  while (until && !existsSync(until)) await sleep(20);
  return attempt;
};
export default processor;
