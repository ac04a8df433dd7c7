/** Who waits longest, for everybody who looks at the overview: read when it may have changed, however many look. */
import type { Clock } from '../ports.ts';
import type { ListedUser } from './users.ts';

/** `at`: what `waitingMs` and other ages are counted to. */
export type LongestWaits = { at: Date; users: ListedUser[] };

/** While something changes all the time. */
const againMs = 2_500;
/** Hints carry no truth: what they miss is found after so long. */
const anywayMs = 30_000;

type Kept = { atMs: number; changes: string; waits: LongestWaits };

export const createLongestWaits = () => {
  let kept: Kept | undefined;
  /** @param changes a text that differs when others may wait longest. @param list reads those that do. */
  return async (
    changes: string,
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
    list: () => Promise<ListedUser[]>,
  ): Promise<LongestWaits> => {
    const atMs = clock.monotonicMs();
    if (kept && atMs - kept.atMs < (kept.changes === changes ? anywayMs : againMs)) return kept.waits;
    const at = clock.now();
    kept = { atMs, changes, waits: { at, users: await list() } };
    return kept.waits;
  };
};
