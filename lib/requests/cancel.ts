import type { Deps } from '../deps.ts';
import type { EntryId, LedgerEntry } from '../types.ts';
import { NotCancellableError, RequestNotFoundError } from './errors.ts';

/**
 * Cancels a request that has not started. It competes with the owner's claim; exactly one wins [protocol, Cancel].
 * Repeating it is harmless.
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
  if (!cancelled && entry.status !== 'cancelled') throw new NotCancellableError(id.seq, entry.status);
  return entry;
};
