import { sleep } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { LaneDeps } from './context.ts';

/**
 * Repeats `work` about every `ms` until the signal, jittered so that workers do not march in step. A server's silence is
 * told where it is asked, once for all; whatever else fails is logged, and the next round comes.
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
        log.error({ err: error }, 'a round of upkeep failed');
    });
  }
};
