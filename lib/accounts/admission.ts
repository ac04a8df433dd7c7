import { systemClock } from '../clock.ts';
import { BusyError } from '../errors.ts';

const tooMany = 'Too many logins and registrations are under way (MAX_WAITING_HASHES). Try again in a second.';

/** The part of the waiting places that one network may hold. */
const shareOfNetwork = 1 / 8;

/** What waits, by network. The networks take turns. Each key of `byNetwork` has at least one that waits. */
const createLine = () => {
  const byNetwork = new Map<string, Set<() => void>>();
  let size = 0;

  const remove = (network: string, start: () => void): void => {
    const own = byNetwork.get(network);
    if (!own?.delete(start)) return;
    size -= 1;
    if (own.size === 0) byNetwork.delete(network);
  };

  return {
    size: () => size,
    sizeOf: (network: string) => byNetwork.get(network)?.size ?? 0,
    add: (network: string, start: () => void): void => {
      const own = byNetwork.get(network) ?? new Set();
      byNetwork.set(network, own.add(start));
      size += 1;
    },
    remove,
    /** Takes the one that has waited longest, of the network whose turn it is. That network goes to the end. */
    next: (): (() => void) | undefined => {
      const [turn] = byNetwork;
      if (!turn) return undefined;
      const [network, own] = turn;
      const [start] = own;
      byNetwork.delete(network);
      byNetwork.set(network, own);
      if (start) remove(network, start);
      return start;
    },
  };
};

/**
 * Lets `atOnce` operations run at a time, and `maxWaiting` more wait for at most `maxWaitMs`: at most an eighth of them, and at least
 * one, of each network. The networks take turns, so that one that sends many operations holds up the others by one of them at a time.
 *
 * @throws {BusyError} 503, before the operation starts
 */
export const createAdmission = (limits: { atOnce: number; maxWaiting: number; maxWaitMs: number }) => {
  const { atOnce, maxWaiting, maxWaitMs } = limits;
  const maxOfNetwork = Math.max(1, Math.floor(maxWaiting * shareOfNetwork));
  const line = createLine();
  let running = 0;

  const turn = (network: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = () => {
        cancel();
        resolve();
      };
      const cancel = systemClock.after(maxWaitMs, () => {
        line.remove(network, start);
        reject(new BusyError(tooMany));
      });
      line.add(network, start);
    });

  const leave = (): void => {
    const start = line.next();
    if (start) start();
    else running -= 1;
  };

  return async <T>(network: string, operation: () => Promise<T>): Promise<T> => {
    if (running < atOnce) running += 1;
    else if (line.size() < maxWaiting && line.sizeOf(network) < maxOfNetwork) await turn(network);
    else throw new BusyError(tooMany);
    try {
      return await operation();
    } finally {
      leave();
    }
  };
};
