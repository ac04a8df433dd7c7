import { sleep } from './clock.ts';
import type { Clock } from './ports.ts';

/**
 * Settles as `work` does, or as `onTimeout` decides once `ms` are over: what it throws or returns. The work itself goes on; a
 * late rejection is ignored.
 */
export const withTimeout = async <T, L>(
  clock: Pick<Clock, 'after'>,
  ms: number,
  work: Promise<T>,
  onTimeout: () => L,
): Promise<T | L> => {
  const finished = new AbortController();
  const timeout = sleep(clock, ms, finished.signal).then(() =>
    finished.signal.aborted ? (work as never) : onTimeout(),
  );
  timeout.catch(() => undefined);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    finished.abort();
  }
};
