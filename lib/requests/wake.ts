import type { Deps } from '../deps.ts';
import { BrokerUnavailableError } from '../errors.ts';

/** Says to the owner of the lane: look at this user. Without the broker the sweep says it later [protocol, Enqueue 5]. */
export const wakeLane = async (
  lane: number,
  userId: string,
  { publisher, log }: Pick<Deps, 'publisher' | 'log'>,
): Promise<void> => {
  try {
    await publisher.publishWake(lane, userId);
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    log.warn({ err: error, lane, userId }, 'the broker did not take a wake; the sweep will');
  }
};
