/** Holds a run as long as `file` exists, and marks by another file that it runs. With `heeds` the run ends with its signal. */
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Processor } from '../../../../lib/processor.ts';

type Held = { file?: string; heeds?: boolean };

const processor: Processor = async (request, { userId, signal }) => {
  const { file, heeds } = request as Held;
  if (file) writeFileSync(`${file}.${userId}`, '');
  while (file && existsSync(file)) await setTimeout(50, undefined, heeds ? { signal } : undefined);
  return 'done';
};
export default processor;
