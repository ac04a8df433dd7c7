import { sleep } from './clock.ts';
import type { Clock } from './ports.ts';

const firstPauseMs = 25;
const longestPauseMs = 250;

/**
 * Calls `check` until it returns a value, `waitMs` is over or the signal aborts, first every 25 ms and then more slowly. Calls it at
 * least once. Otherwise resolves to `undefined`. A library would not take the clock that the simulation controls.
 */
export const pollUntil = async <T>(
  clock: Pick<Clock, 'monotonicMs' | 'after'>,
  waitMs: number,
  check: () => Promise<T | undefined>,
  signal?: AbortSignal,
): Promise<T | undefined> => {
  const deadline = clock.monotonicMs() + waitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const found = await check();
    const leftMs = deadline - clock.monotonicMs();
    if (found !== undefined || leftMs <= 0) return found;
    await sleep(clock, Math.min(pauseMs, leftMs), signal);
    if (signal?.aborted) return undefined;
  }
};
