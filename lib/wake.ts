import type { Deps } from './deps.ts';
import { BrokerUnavailableError } from './errors.ts';
import { logSampled } from './log-sampled.ts';
import type { Hints } from './ports.ts';

type WakeDeps = Pick<Deps, 'publisher' | 'log'> & { hints?: Hints };

/**
 * Asks the owner of the lane to refresh the user, and tells whoever listens to look. Without the broker, the sweep wakes the lane later
 * [protocol, Enqueue 5].
 */
export const wakeLane = async (lane: number, userId: string, { publisher, log, hints }: WakeDeps): Promise<void> => {
  hints?.tell(lane, userId);
  try {
    await publisher.publishWake(lane, userId);
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    logSampled(log, 'warn', { err: error, lane, userId }, 'wake not published; the sweep will retry');
  }
};

/** A wake makes the owner read a request again that waits for a person or for its next attempt. */
export const wakeOwner = async (userId: string, deps: Pick<Deps, 'userQueues'> & WakeDeps): Promise<void> => {
  const [queue] = await deps.userQueues.get([userId]);
  if (queue) await wakeLane(queue.lane, userId, deps);
};
