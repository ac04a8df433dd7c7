/**
 * Ends its process or its run, or hangs, as `request.end` says. Writes its process id to `request.mark` first, and ends no earlier than
 * there is a file `request.until`.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Processor, ProcessorContext } from '../../../../lib/processor.ts';

type Request = { end?: string; ms?: number; mark?: string; until?: string };

const never = new Promise<never>(() => {});

const ends: Record<string, (context: ProcessorContext) => unknown> = {
  exit: () => process.exit(3),
  'exit-in-order': () => process.exit(0),
  'exit-afterwards': () => {
    setTimeout(100).then(() => process.exit(3));
    return null;
  },
  kill: () => process.kill(process.pid, 'SIGKILL') && never,
  loop: () => {
    for (;;);
  },
  memory: () => {
    const hoard: number[][] = [];
    for (;;) hoard.push(new Array(100_000).fill(hoard.length));
  },
  'throw-outside': () => {
    setImmediate(() => {
      throw new TypeError('nobody catches this');
    });
    return never;
  },
  'reject-unhandled': async () => {
    for (let n = 0; n < 3; n += 1) Promise.reject(new Error('nobody awaits this'));
    await setTimeout(100);
    return null;
  },
  'obey-the-signal': ({ signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  'ignore-the-signal': () => never,
  fail: () => {
    throw new Error('an ordinary failure');
  },
  'return-the-context': ({ userId, seq, attempt, fencingToken, logger }) => {
    logger.info('logged by the processor');
    return { userId, seq, attempt, fencingToken };
  },
};

const fatal: Processor = async (request, context) => {
  const { end, ms = 0, mark, until } = request as Request;
  if (mark) writeFileSync(mark, `${process.pid}`);
  if (end) return ends[end]?.(context);
  const begin = Date.now();
  await setTimeout(ms);
  while (until && !existsSync(until)) await setTimeout(20);
  return { pid: process.pid, attempt: context.attempt, begin, end: Date.now() };
};
export default fatal;
