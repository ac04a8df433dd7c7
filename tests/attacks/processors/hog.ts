/** Hangs at the first request of each hog, whatever its signal says, until the test writes a file. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Processor } from '../../../lib/processor.ts';

const processor: Processor = async (request) => {
  const { hangUntil, text } = request as { hangUntil?: string; text: string };
  while (hangUntil && !existsSync(hangUntil)) await sleep(100);
  return text.length;
};
export default processor;
