/** What happened to one user's requests in a race, checked as it happens: from what the API answered and what its events say. */
import type { RequestState } from '../../client/types.ts';

/** Of an event: what the check needs. */
export type Settled = Pick<RequestState, 'seq' | 'status' | 'attempts' | 'acceptedAt' | 'startedAt' | 'settledAt'>;

type Noted = Settled & Pick<RequestState, 'error'>;

export type Fault = { seq: number; text: string };

export type Mark = { seq: number; isGood: boolean; attempts: number };

const shownMarks = 60;
/** More would hide the first ones. */
const mostFaults = 20;

const timeOf = (time: string | undefined): number => (time === undefined ? Number.NaN : Date.parse(time));

export class Score {
  readonly faults: Fault[] = [];
  /** The last ones that were settled. */
  marks: Mark[] = [];
  settled = 0;
  done = 0;
  /** Requests that needed more than one run. */
  again = 0;
  /** For how long nothing was settled although something waited, in ms: the longest time, and the longest that has ended since `watchFrom`. */
  longestMs = 0;
  longestSinceMs = 0;
  /** The accepted requests that are not settled yet, in the order in which the API accepted them. */
  readonly #expected: number[] = [];
  /** Settled before the answer that accepted it was here. */
  readonly #early: number[] = [];
  accepted = 0;
  /** Why the user stands still, as far as a request is the reason. */
  trouble: string | undefined;
  #last: Settled | undefined;
  #watchedFrom = 0;

  /** The API has accepted these, in this order. */
  accept(seqs: number[]): void {
    this.accepted += seqs.length;
    this.#expected.push(...seqs);
    this.#compare();
  }

  /** What an event says. */
  note(type: string, request: Noted): void {
    const { seq, error } = request;
    // Others are accepted behind the one that holds its user.
    if (type === 'accepted') return;
    const troubles: Record<string, string> = { blocked: 'is blocked', 'attempt-failed': 'waits for its next attempt' };
    this.trouble = troubles[type] && `Request ${seq} ${troubles[type]}: ${error?.message ?? 'it failed'}`;
    if (type === 'settled') this.#settle(request);
  }

  #settle(request: Settled): void {
    const { seq, status, attempts } = request;
    const faults = this.#faultsOf(request);
    this.#blame(...faults);
    this.settled += 1;
    if (status === 'done') this.done += 1;
    if (attempts > 1) this.again += 1;
    this.#early.push(seq);
    this.#compare();
    this.#notePause(request);
    this.marks = [...this.marks.slice(1 - shownMarks), { seq, isGood: faults.length === 0, attempts }];
    this.#last = request;
  }

  /** Call it when everything should be settled: what is left was accepted and not settled, or settled and not accepted. */
  end(): void {
    for (const seq of this.#expected.splice(0)) this.#blame({ seq, text: 'was accepted and never settled' });
    for (const seq of this.#early.splice(0)) this.#blame({ seq, text: 'was settled, but nobody sent it' });
  }

  /** From this time on, in ms since the epoch, `longestSinceMs` is measured. */
  watchFrom(time: number): void {
    this.#watchedFrom = time;
    this.longestSinceMs = 0;
  }

  #blame(...faults: Fault[]): void {
    if (this.faults.length < mostFaults) this.faults.push(...faults);
  }

  /** By what the events alone say: the order of `seq`, and that no two ran at the same time. */
  #faultsOf({ seq, startedAt }: Settled): Fault[] {
    const last = this.#last;
    if (!last) return [];
    if (seq === last.seq) return [{ seq, text: 'was settled twice' }];
    if (seq < last.seq) return [{ seq, text: `was settled after request ${last.seq}` }];
    return timeOf(startedAt) < timeOf(last.settledAt)
      ? [{ seq, text: `started before request ${last.seq} was settled` }]
      : [];
  }

  /** Compares settled requests with accepted ones: none may be missing in between, and none may be settled that nobody sent. */
  #compare(): void {
    while (this.#early.length > 0 && this.#expected.length > 0) {
      const [seq = 0] = this.#early;
      const [next = 0] = this.#expected;
      if (seq > next) this.#blame({ seq: next, text: `was overtaken by request ${seq}` });
      if (seq >= next) this.#expected.shift();
      if (seq <= next) this.#early.shift();
      if (seq < next) this.#blame({ seq, text: 'was settled, but nobody sent it' });
    }
  }

  /** It stands still from the last settlement on, or from when there was something to do. */
  #notePause({ acceptedAt, settledAt }: Settled): void {
    const to = timeOf(settledAt);
    const from = Math.max(timeOf(acceptedAt), this.#last ? timeOf(this.#last.settledAt) : 0);
    const ms = Math.max(0, to - from);
    this.longestMs = Math.max(this.longestMs, ms);
    if (to > this.#watchedFrom) this.longestSinceMs = Math.max(this.longestSinceMs, ms);
  }
}
