/** What an outcome means for the ledger: pure functions over plain data. */
import type { ChangeResult, LedgerChange, LedgerEntry, Outcome } from '../types.ts';
import type { HeldRequest } from './held-requests.ts';

type Guard = Pick<LedgerChange, 'userId' | 'seq' | 'token' | 'attempt' | 'at'>;

/** A run that ended by itself resets the count of runs in a row that ended with their process. */
const interruptionsAfter = (crashed: boolean | undefined, { interruptions }: HeldRequest): number =>
  crashed ? interruptions + 1 : 0;

export const changeOf = (outcome: Outcome, guard: Guard, request: HeldRequest): LedgerChange => {
  switch (outcome.kind) {
    case 'done':
      return { ...guard, kind: 'settle', status: 'done', result: outcome.result };
    case 'failed':
      return { ...guard, kind: 'settle', status: 'failed', error: outcome.error, reason: outcome.reason };
    case 'blocked':
      return { ...guard, kind: 'block', error: outcome.error, reason: outcome.reason };
    case 'retry': {
      const { delayMs: backOffMs } = outcome;
      const retryAt = new Date(guard.at.getTime() + backOffMs);
      const interruptions = interruptionsAfter(outcome.crashed, request);
      return { ...guard, kind: 'retry', error: outcome.error, retryAt, backOffMs, interruptions };
    }
  }
};

/** For the log: what stands in the ledger instead. */
export const describeRefusal = (
  result: ChangeResult | undefined,
): Pick<LedgerEntry, 'status' | 'token' | 'attempts'> | undefined => {
  if (result?.applied !== false || !result.entry) return undefined;
  const { status, token, attempts } = result.entry;
  return { status, token, attempts };
};
