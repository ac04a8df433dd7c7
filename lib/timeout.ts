import type { Clock } from './ports.ts';

/**
 * Settles as `work` does, or, when `work` takes longer than `ms`, as `onTimeout` does: with what it returns or throws. The work
 * itself continues; a rejection after the timeout is ignored.
 */
export const withTimeout = async <T, L>(
  clock: Pick<Clock, 'after'>,
  ms: number,
  work: Promise<T>,
  onTimeout: () => L,
): Promise<T | L> => {
  let cancel = () => {};
  const timeout = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  try {
    return await Promise.race([work, timeout.then(onTimeout)]);
  } finally {
    cancel();
  }
};
