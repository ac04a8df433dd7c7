import type { Deps } from './deps.ts';
import { BrokerUnavailableError } from './errors.ts';

/** Asks the owner of the lane to refresh the user. Without the broker, the sweep wakes the lane later [protocol, Enqueue 5]. */
export const wakeLane = async (
  lane: number,
  userId: string,
  { publisher, log }: Pick<Deps, 'publisher' | 'log'>,
): Promise<void> => {
  try {
    await publisher.publishWake(lane, userId);
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    log.warn({ err: error, lane, userId }, 'wake not published; the sweep will retry');
  }
};
