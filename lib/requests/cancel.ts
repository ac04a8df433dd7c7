import type { Deps } from '../deps.ts';
import type { EntryId, LedgerEntry } from '../types.ts';
import { NotCancellableError, RequestNotFoundError } from './errors.ts';

/**
 * Cancels a request that has never started. The owner's claim competes with it, and exactly one wins [protocol, Cancel].
 * A request that is queued again after a run is refused, because its effects may have happened. Idempotent.
 *
 * @throws {RequestNotFoundError} 404; {NotCancellableError} 409
 */
export const cancelRequest = async (
  id: EntryId,
  { ledger, clock }: Pick<Deps, 'ledger' | 'clock'>,
): Promise<LedgerEntry> => {
  const cancelled = await ledger.cancel(id, clock.now());
  const [entry] = await ledger.read([id]);
  if (!entry) throw new RequestNotFoundError(id.seq);
  if (!cancelled && entry.status !== 'cancelled') throw new NotCancellableError(entry);
  return entry;
};
