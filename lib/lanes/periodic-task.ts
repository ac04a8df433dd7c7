import { sleep } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { LaneDeps } from './context.ts';

/**
 * Repeats `work` about every `ms` until the signal aborts, with jitter so that workers do not act in step. An unavailable server
 * is logged by its connection; any other failure is logged here, and the task continues.
 */
export const every = async (
  { clock, log }: Pick<LaneDeps, 'clock' | 'log'>,
  ms: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> => {
  while (!signal.aborted) {
    await sleep(clock, ms * (0.75 + clock.random() / 2), signal);
    if (signal.aborted) return;
    await work().catch((error) => {
      if (!(error instanceof AppError && error.retryAfterSeconds !== undefined))
        log.error({ err: error }, 'a periodic task failed');
    });
  }
};
