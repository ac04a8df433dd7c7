/** Failed runs in the log: each with its error and stack, in a bounded number of lines. */
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';

/** While every run fails, so many lines a second of one kind, and of all kinds together. A rare kind is seen beside a frequent one. */
const maxOfKind = 10;
const maxLines = 50;
const windowMs = 1_000;

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
  const linesOf = new Map<string, number>();
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let unlogged = 0;

  const sayHowMany = () => {
    log.warn({ unlogged, seconds: windowMs / 1_000 }, 'more runs failed than are logged one by one');
    unlogged = 0;
  };
  return (kind, fields, text) => {
    const now = clock.monotonicMs();
    if (now - since >= windowMs) {
      since = now;
      lines = 0;
      linesOf.clear();
    }
    const ofKind = linesOf.get(kind) ?? 0;
    if (ofKind >= maxOfKind || lines >= maxLines) {
      if (unlogged === 0) clock.after(windowMs, sayHowMany);
      unlogged += 1;
      return;
    }
    linesOf.set(kind, ofKind + 1);
    lines += 1;
    log.warn(fields, text);
  };
};
