import { sleep } from '../clock.ts';
import { StoreClosedError, StoreUnavailableError } from '../errors.ts';
import type { Clock } from '../ports.ts';

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/**
 * Repeats `work` while MongoDB does not answer and `wanted()` is true; every other error is thrown.
 * Resolves to `undefined` once the work is no longer wanted.
 *
 * Our own loop because libraries for this take no injected clock, and the simulation decides every pause.
 */
export const persist = async <T>(
  clock: Pick<Clock, 'after'>,
  wanted: () => boolean,
  work: () => Promise<T>,
): Promise<T | undefined> => {
  for (let pauseMs = firstPauseMs; wanted(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || error instanceof StoreClosedError) throw error;
      await sleep(clock, pauseMs);
    }
  }
  return undefined;
};
