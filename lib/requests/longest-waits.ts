/** Who waits longest, for everybody who looks at the overview: read when it may have changed, however many look. */
import { sleep } from '../clock.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { ListedUser } from './users.ts';

/** `at`: what `waitingMs` and other ages are counted to. */
export type LongestWaits = { at: Date; users: ListedUser[] };

/** While something changes all the time. */
const againMs = 2_500;
/** Hints carry no truth: what they miss is found after so long. */
const anywayMs = 30_000;
/** The rest of the overview waits no longer for it. */
const patienceMs = 500;

type Kept = { atMs: number; changes: string; waits: LongestWaits };

export const createLongestWaits = () => {
  let kept: Kept | undefined;
  let reading: Promise<void> | undefined;

  const read = async (
    changes: string,
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
    list: () => Promise<ListedUser[]>,
  ): Promise<void> => {
    const [atMs, at] = [clock.monotonicMs(), clock.now()];
    try {
      kept = { atMs, changes, waits: { at, users: await list() } };
    } catch (error) {
      // The next look may succeed. Who reports it is the store.
      if (!(error instanceof StoreUnavailableError)) throw error;
    } finally {
      reading = undefined;
    }
  };

  /**
   * While MongoDB is too slow for it: the last ones, or none where none were read yet.
   *
   * @param changes a text that differs when others may wait longest. @param list reads those that do.
   */
  return async (
    changes: string,
    clock: Pick<Clock, 'now' | 'monotonicMs' | 'after'>,
    list: () => Promise<ListedUser[]>,
  ): Promise<LongestWaits> => {
    const atMs = clock.monotonicMs();
    if (kept && atMs - kept.atMs < (kept.changes === changes ? anywayMs : againMs)) return kept.waits;
    reading ??= read(changes, clock, list);
    const isRead = new AbortController();
    try {
      await Promise.race([reading, sleep(clock, patienceMs, isRead.signal)]);
    } finally {
      isRead.abort();
    }
    return kept?.waits ?? { at: clock.now(), users: [] };
  };
};
