/** The limit for lines that a fault of many runs repeats. */
import type { Clock } from '../ports.ts';

export const windowMs = 1_000;

/** Lines a second: of one kind, and of all kinds together. A rare kind is seen beside a frequent one. */
export type LineLimit = { ofKind: number; ofAll: number };

/** The returned function says whether there is room for another line of this kind, and counts the line if there is. */
export const createLineLimit = (clock: Pick<Clock, 'monotonicMs'>, limit: LineLimit): ((kind: string) => boolean) => {
  const linesOf = new Map<string, number>();
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;

  return (kind) => {
    const now = clock.monotonicMs();
    if (now - since >= windowMs) {
      since = now;
      lines = 0;
      linesOf.clear();
    }
    const ofKind = linesOf.get(kind) ?? 0;
    if (ofKind >= limit.ofKind || lines >= limit.ofAll) return false;
    linesOf.set(kind, ofKind + 1);
    lines += 1;
    return true;
  };
};
