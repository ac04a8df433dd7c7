/** Failed runs in the log: each with its error and stack, in a bounded number of lines. */
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { createLineLimit, windowMs } from './line-limit.ts';

/** While every run fails. */
const limit = { ofKind: 10, ofAll: 50 };

/** Logs one line at `warn`. `kind`: what lines of a storm have in common. */
export type FailureLog = (kind: string, fields: Record<string, unknown>, text: string) => void;

/** One for each process. What it leaves out is counted, and said a second later. */
export const createFailureLog = ({
  clock,
  log,
}: {
  clock: Pick<Clock, 'monotonicMs' | 'after'>;
  log: Pick<Logger, 'warn'>;
}): FailureLog => {
  const hasRoom = createLineLimit(clock, limit);
  let unlogged = 0;

  const sayHowMany = () => {
    log.warn({ unlogged, seconds: windowMs / 1_000 }, 'more runs failed than are logged one by one');
    unlogged = 0;
  };
  return (kind, fields, text) => {
    if (hasRoom(kind)) return log.warn(fields, text);
    if (unlogged === 0) clock.after(windowMs, sayHowMany);
    unlogged += 1;
  };
};
