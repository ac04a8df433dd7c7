/** What an outcome means for the ledger: pure functions over plain data. */
import type { ChangeResult, LedgerChange } from '../ledger-change.ts';
import type { DeadLetterOutcome, DeadLetterReason, LedgerEntry, Outcome } from '../types.ts';
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

/**
 * What the next change of a request that waits for its run records. An interrupted run did not get a fair attempt: it is forgiven. A
 * request that keeps ending its workers is stopped by `maxCrashes`.
 */
export const countsAfter = ({
  interrupted,
  interruptions,
  forgiven,
}: HeldRequest): Pick<HeldRequest, 'interruptions' | 'forgiven'> => {
  const interruption = interrupted ? 1 : 0;
  return { interruptions: interruptions + interruption, forgiven: forgiven + interruption };
};

/** The change that gives a request up. One whose run was ended may be in any state but settled [R14]. */
export const givingUp = (
  { kind: status, error, reason }: DeadLetterOutcome,
  counts: ReturnType<typeof countsAfter>,
  guard: Guard,
): LedgerChange =>
  reason === 'ended'
    ? { ...guard, ...counts, kind: 'end', error }
    : { ...guard, ...counts, kind: 'give-up', status, error, reason };

/** Why a change makes the request a dead letter, if it does. */
export const reasonOf = (change: LedgerChange): DeadLetterReason | undefined => {
  if (change.kind === 'end') return 'ended';
  return 'reason' in change ? change.reason : undefined;
};

/** The status to which a change brings a request, when it ends the request or blocks its user. */
export const statusAfter = (change: LedgerChange): 'done' | 'failed' | 'blocked' | undefined => {
  if (change.kind === 'block') return 'blocked';
  if (change.kind === 'end') return 'failed';
  return change.kind === 'settle' || change.kind === 'give-up' ? change.status : undefined;
};

/** A processor that waits for a later request of its own user waits for ever: the error of its timeout says so. */
export const explainTimeout = (outcome: Outcome, laterRequests: number): Outcome => {
  if (outcome.kind === 'done' || outcome.error.name !== 'RunTimeoutError') return outcome;
  const behind =
    laterRequests === 1 ? '1 later request of this user waits' : `${laterRequests} later requests of this user wait`;
  const message = `${outcome.error.message}. ${behind} behind it; a run must not wait for the result of any of them`;
  return { ...outcome, error: { ...outcome.error, message } };
};

/** Characters of the texts that the change carries to the ledger. */
export const charsOf = (change: LedgerChange): number => {
  if (change.kind === 'claim') return change.said?.body.length ?? 0;
  return change.kind === 'settle' && change.status === 'done' ? change.result.length : 0;
};

/** For the log: what stands in the ledger instead. */
export const describeRefusal = (
  result: ChangeResult | undefined,
): Pick<LedgerEntry, 'status' | 'token' | 'attempts'> | undefined => {
  if (result?.applied !== false || !result.entry) return undefined;
  const { status, token, attempts } = result.entry;
  return { status, token, attempts };
};
