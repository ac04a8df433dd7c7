/** The end of a run by an operator: what its signal says, and what the ledger records. */
import type { DeadLetterOutcome, RunError } from './types.ts';

const name = 'RunEndedError';
const message = 'An operator ended the run';

/** The reason of a run's signal once an operator has ended the run. */
export class RunEndedError extends Error {
  /** Clients may see its message. */
  readonly expose = true;
  constructor() {
    super(message);
    this.name = name;
  }
}

/**
 * The outcome of a run that an operator ended, whatever its policy says about retries and blocking: the user goes on.
 *
 * @param own what the run threw after its signal.
 */
export const endedOutcome = (own?: RunError): DeadLetterOutcome => {
  const cause = own && own.name !== name ? { cause: own } : {};
  return { kind: 'failed', error: { name, message, exposed: true, ...cause }, reason: 'ended' };
};
