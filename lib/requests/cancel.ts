import type { Deps } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import type { Hints } from '../ports.ts';
import type { EntryId, LedgerEntry } from '../types.ts';
import { wakeOwner } from '../wake.ts';
import { NotCancellableError, RequestNotFoundError } from './errors.ts';

export type CancelDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & {
  config: Pick<Deps['config'], 'lanes'>;
  hints?: Hints;
};

/**
 * Cancels a request that has never started, or that waits for its next attempt. The owner's claim competes with it, and exactly
 * one wins [protocol, Cancel]. A request that is queued again after a run is refused: nobody knows how far that run came.
 * Idempotent.
 *
 * @throws {RequestNotFoundError} 404; {NotCancellableError} 409
 */
export const cancelRequest = async (id: EntryId, deps: CancelDeps): Promise<LedgerEntry> => {
  const { ledger, clock } = deps;
  const cancelled = await ledger.cancel(id, clock.now());
  const [entry] = await ledger.read([id]);
  if (!entry) throw new RequestNotFoundError(id.seq);
  if (!cancelled && entry.status !== 'cancelled') throw new NotCancellableError(entry);
  // Its owner waits for the next attempt, with the user's other requests behind it.
  if (entry.attempts > 0) await wakeOwner(id.userId, deps);
  // Nobody listens there to a user from before LANES was changed: a look finds it.
  deps.hints?.tell(laneOf(id.userId, deps.config.lanes), id.userId, id.seq);
  return entry;
};
