/** What the judge reports. */
import type { RunSpan, UserHistory } from './history.ts';

export type ViolationKind =
  /**
   * A client received `202`, but the request is not settled, is missing, is a tombstone, or was cancelled without a
   * reason.
   */
  | 'loss'
  /** Recorded and never settled, although no client received a `202`. */
  | 'unsettled'
  /** A run started before every lower `seq` was settled. */
  | 'inversion'
  /** Two runs of one user at the same time. */
  | 'overlap'
  /** An outcome that was recorded twice, that changed, or that belongs to a cancelled request. */
  | 'second-outcome'
  /** Settled as done or failed without a run. */
  | 'outcome-without-run'
  /** The outcome or the result is not that of the newest run. */
  | 'wrong-outcome'
  /** Another run although no attempt failed and no fault explains it. */
  | 'repeat'
  /** A run under a lower fencing token than an earlier run of the user. */
  | 'token-down'
  /** A run that never ended although no fault killed its worker, or an end without a start. */
  | 'unpaired'
  /** A `seq` without a ledger entry. */
  | 'gap'
  /** Failed, but neither dead-lettered nor retried; or retried more than once. */
  | 'dead-letter'
  /** Two requests with the same Idempotency-Key. */
  | 'same-key'
  | 'leftover-queue'
  | 'not-closed';

export type Violation = { kind: ViolationKind; userId: string; seq?: number; detail: string };

export type Report = (kind: ViolationKind, seq: number | undefined, detail: string) => void;

export const describeRun = ({ start }: RunSpan): string =>
  `run of ${start.seq} (attempt ${start.attempt}, token ${start.fencingToken}, ${start.worker})`;

/** The settlements of a request by one worker under one token. */
export const settlementId = (event: { seq: number; worker: string; fencingToken: number }): string =>
  `${event.seq} ${event.worker} ${event.fencingToken}`;

export const decisionsOn = (
  { decided }: UserHistory,
  seq: number,
  decision: 'retry' | 'skip',
): UserHistory['decided'] => decided.filter((event) => event.seq === seq && event.decision === decision);
