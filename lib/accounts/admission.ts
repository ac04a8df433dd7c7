import { systemClock } from '../clock.ts';
import { BusyError } from '../errors.ts';

const tooMany = 'Too many logins and registrations are under way (MAX_WAITING_HASHES). Try again in a second.';

/**
 * Lets `atOnce` operations run at a time, in the order in which they came, and `maxWaiting` more wait for at most `maxWaitMs`.
 *
 * @throws {BusyError} 503, before the operation starts
 */
export const createAdmission = (limits: { atOnce: number; maxWaiting: number; maxWaitMs: number }) => {
  const { atOnce, maxWaiting, maxWaitMs } = limits;
  const waiting = new Set<() => void>();
  let running = 0;

  const turn = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = () => {
        cancel();
        resolve();
      };
      const cancel = systemClock.after(maxWaitMs, () => {
        waiting.delete(start);
        reject(new BusyError(tooMany));
      });
      waiting.add(start);
    });

  /** The place goes to the one that has waited longest. */
  const leave = (): void => {
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      next();
    } else running -= 1;
  };

  return async <T>(operation: () => Promise<T>): Promise<T> => {
    if (running < atOnce) running += 1;
    else if (waiting.size < maxWaiting) await turn();
    else throw new BusyError(tooMany);
    try {
      return await operation();
    } finally {
      leave();
    }
  };
};
