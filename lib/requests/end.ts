/** An operator ends a run that does not end [protocol, End a run]. */
import type { Deps } from '../deps.ts';
import type { Wait } from '../long-polls.ts';
import type { Hints } from '../ports.ts';
import type { EntryId, LedgerEntry } from '../types.ts';
import { wakeOwner } from '../wake.ts';
import { NotRunningError, RequestNotFoundError } from './errors.ts';
import { lookUpRequest } from './look-up.ts';

type EndDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & { hints?: Hints };

/**
 * Ends the run of a request: its signal aborts, and the request becomes a dead letter with the reason `ended`. It does not run again.
 * Without `wait`, or when the run goes on for longer, the entry that is returned is still `processing` and has an `endRequestedAt`. Where
 * the worker is no process of its own, a run that ignores its signal stays like that. Idempotent.
 *
 * @param wait how the call waits until the request is settled.
 * @throws {RequestNotFoundError} 404; {NotRunningError} 409; what `wait` throws
 */
export const endRequest = async (
  id: EntryId,
  wait: Wait | undefined,
  deps: EndDeps,
): Promise<{ entry: LedgerEntry; settled: number }> => {
  const { ledger, userQueues, clock } = deps;
  await ledger.requestEnd(id, clock.now());
  const [head] = await ledger.readHeads([id]);
  const [queue] = await userQueues.get([id.userId]);
  if (!head || !queue) throw new RequestNotFoundError(id.seq);
  if (!head.endRequestedAt) throw new NotRunningError(head);
  // Also for a call that is repeated: the wake of the earlier one may have been lost.
  await wakeOwner(id.userId, deps);
  return lookUpRequest(queue, id.seq, wait, deps);
};
