import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';

const firstMs = 10_000;
const thenMs = 60_000;

/** Warns while a processor's module loads: it may wait for ever at its top level, and its worker runs nothing meanwhile. */
export const warnWhileLoading = async <T>(
  loading: Promise<T>,
  processor: string,
  { clock, log }: { clock: Pick<Clock, 'after' | 'monotonicMs'>; log: Pick<Logger, 'warn'> },
): Promise<T> => {
  const since = clock.monotonicMs();
  const warn = () => {
    const seconds = Math.round((clock.monotonicMs() - since) / 1_000);
    log.warn({ processor, seconds }, 'the processor has not loaded yet: nothing runs until its module is ready');
    cancel = clock.after(thenMs, warn);
  };
  let cancel = clock.after(firstMs, warn);
  try {
    return await loading;
  } finally {
    cancel();
  }
};
