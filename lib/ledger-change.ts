/** What an owner asks of the ledger, and what the ledger answers. */
import type { DeadLetterReason, EntryId, RequestMessage, RunError, WorkEntry } from './types.ts';

/** What a message says about a request, apart from its place. */
export type Said = Pick<RequestMessage, 'body' | 'bytesThrough' | 'limits' | 'interruptions' | 'traceparent'> & {
  acceptedAt: Date;
};

/**
 * One owner's change of one ledger entry, guarded by the fencing token [R7].
 *
 * - `claim` matches `queued | processing` with `attempts = attempt - 1` and no token above `token`, and sets `attempt`. It matches
 *   no entry whose run was ended [R14]. With `said`, what a message said, it matches only an entry that says the same.
 * - `requeue` and `give-up` match what an earlier owner left `processing`, not in a back-off, with `attempts = attempt` and no
 *   token above `token`. They record its interruption without another attempt: it waits for a slot (-> queued), or must not run
 *   again (-> failed, blocked).
 * - `end` matches an entry whose run was ended, in any state but settled, with `attempts = attempt` and no token above `token`.
 * - The others match `processing` with exactly this `token` and `attempt`. `give-back` returns the claim of a run that was
 *   aborted, for instance because the worker stops: processing -> queued.
 * - `interruptions` and `forgiven` are new values, not increments: a change may be sent twice, and a value that was read before
 *   the late give-back of an earlier owner already counts that attempt.
 */
export type LedgerChange = EntryId & { token: number; attempt: number; at: Date } & (
    | { kind: 'claim'; interruptions: number; forgiven: number; said?: Said }
    | { kind: 'requeue'; interruptions: number; forgiven: number }
    | {
        kind: 'give-up';
        status: 'failed' | 'blocked';
        error: RunError;
        reason: DeadLetterReason;
        interruptions: number;
        forgiven: number;
      }
    | { kind: 'end'; error: RunError; interruptions: number; forgiven: number }
    | { kind: 'settle'; status: 'done'; result: string }
    | { kind: 'settle'; status: 'failed'; error: RunError; reason: DeadLetterReason }
    | { kind: 'block'; error: RunError; reason: DeadLetterReason }
    | { kind: 'retry'; error: RunError; retryAt: Date; backOffMs: number; interruptions: number }
    | { kind: 'give-back'; forgiven: number }
  );

/** `applied`: the ledger contains the change. Otherwise `entry` is what it contains instead; `undefined` if nothing. */
export type ChangeResult = { applied: true } | { applied: false; entry: WorkEntry | undefined };
