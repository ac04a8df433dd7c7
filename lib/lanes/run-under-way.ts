/** One run as its worker sees it: its signal, and whether an operator has ended it. */
import { RunEndedError } from '../run-ended.ts';
import type { EntryId } from '../types.ts';

export type WatchedRun = EntryId & { attempt: number };

type Start = WatchedRun & {
  /** The lane's fencing token. */
  token: number;
  /** On the monotonic clock. */
  since: number;
  /** The lane's signal: it aborts the run. */
  laneSignal: AbortSignal;
};

export class RunUnderWay implements WatchedRun {
  readonly userId: string;
  readonly seq: number;
  readonly attempt: number;
  readonly token: number;
  readonly since: number;
  /** Whether this worker goes on with it after the lane was handed over. */
  lentOut = false;
  /** When the ledger was last asked whether an operator ended it. */
  askedAt: number | undefined;
  readonly #laneSignal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #follow = () => this.#controller.abort(this.#laneSignal.reason);
  #isEnded = false;

  constructor({ userId, seq, attempt, token, since, laneSignal }: Start) {
    this.userId = userId;
    this.seq = seq;
    this.attempt = attempt;
    this.token = token;
    this.since = since;
    this.#laneSignal = laneSignal;
    laneSignal.addEventListener('abort', this.#follow, { once: true });
    if (laneSignal.aborted) this.#follow();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether an operator ended it. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** An operator has ended it: its signal aborts. */
  end(): void {
    this.#isEnded = true;
    this.#controller.abort(new RunEndedError());
  }

  /** It is not under way any more. The lane's signal lives for days: nothing may stay attached to it. */
  close(): void {
    this.#laneSignal.removeEventListener('abort', this.#follow);
  }
}
