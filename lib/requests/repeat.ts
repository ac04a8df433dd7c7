/** A call whose Idempotency-Key is in the ledger already. */
import type { Deps } from '../deps.ts';
import type { LedgerEntry, RunLimits } from '../types.ts';
import { IdempotencyKeyReusedError } from './errors.ts';
import { differingLimits, isSameJson } from './same-request.ts';

/**
 * How to run a request again that failed, is blocked or was cancelled. `retriedAs`: it runs again already, with this `seq`. `retry`:
 * the call that does it.
 */
export type Repeat = { retriedAs?: number; retry?: string };

/** The key of a retry of the request `seq`. No client's Idempotency-Key equals it: those are ASCII. */
export const retryKey = (seq: number): string => `↻${seq}`;

type RepeatDeps = Pick<Deps, 'ledger'> & {
  comparisons?: { isSameJson(one: string, other: string, userId: string): boolean | Promise<boolean> };
};

const limitsText = (limits: RunLimits = {}, names: (keyof RunLimits)[]): string =>
  names.map((name) => `${name} ${limits[name] ?? 'not set'}`).join(', ');

/** @throws {IdempotencyKeyReusedError} 422 when the call is not a repeat of the entry; {BusyError} 503 */
export const repeatOf = async (
  { body, limits }: { body: string; limits?: RunLimits },
  entry: LedgerEntry,
  { ledger, comparisons = { isSameJson } }: RepeatDeps,
): Promise<Repeat> => {
  const { userId, seq, status } = entry;
  const differing = differingLimits(entry.limits, limits);
  if (differing.length > 0) {
    const [was, is] = [limitsText(entry.limits, differing), limitsText(limits, differing)];
    throw new IdempotencyKeyReusedError(seq, `its limits differ: ${was} there, ${is} here`);
  }
  if (entry.body === undefined || !(await comparisons.isSameJson(entry.body, body, userId))) {
    throw new IdempotencyKeyReusedError(seq, 'that has another body');
  }
  if (status === 'blocked') return { retry: `POST /requests/${seq}/retry` };
  if (status !== 'failed' && status !== 'cancelled') return {};
  const again = await ledger.findByKey(userId, retryKey(seq));
  if (again) return { retriedAs: again.seq };
  return { retry: entry.deadLetter ? `POST /requests/${seq}/retry` : 'POST /enqueue with a new Idempotency-Key' };
};
