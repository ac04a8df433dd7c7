/** The requests of one loaded user that wait in memory, from messages or from the ledger: with their bodies, or without. */
import { retryMaxRange } from '../limits.ts';
import type { Delivery } from '../ports.ts';
import type { RunTrace } from '../traceparent.ts';
import { isInBackOff, type Lent, type RequestMessage, type RunLimits, type WorkEntry } from '../types.ts';
import type { HeldBody } from './body-budget.ts';
import { ackAtOnce, RequestDeliveries } from './deliveries.ts';
import type { Moment } from './moment.ts';

export type HeldRequest = {
  /** What a message says is compared with the ledger by the claim. */
  readonly isFromMessage: boolean;
  readonly bytesThrough?: number;
  readonly acceptedAt: Date;
  /** Claims so far, as far as the owner knows. A claim with a wrong number is refused, and the request read again. */
  readonly attempts: number;
  readonly limits: RunLimits;
  readonly forgiven: number;
  readonly interruptions: number;
  readonly traceparent?: string;
  /** Of its newest run here. */
  readonly trace?: RunTrace;
  /** An earlier owner claimed it, and its run did not end. */
  readonly interrupted: boolean;
  /** Waits for a person. */
  readonly blocked: boolean;
  /** An operator ended its run: it is given up [R14]. */
  readonly ended?: boolean;
  /** Still runs at the worker that handed the lane over [R11]. */
  readonly lent: boolean;
  /** The end of its back-off, on the monotonic clock. */
  readonly retryAt?: number;
  /** On the monotonic clock. */
  readonly heldSince: number;
};

const fromMessage = (
  { bytesThrough, acceptedAt, limits, interruptions, traceparent }: RequestMessage,
  now: number,
): HeldRequest => ({
  isFromMessage: true,
  bytesThrough,
  acceptedAt: new Date(acceptedAt),
  attempts: 0,
  limits: limits ?? {},
  forgiven: 0,
  interruptions: interruptions ?? 0,
  traceparent,
  interrupted: false,
  blocked: false,
  lent: false,
  heldSince: now,
});

/**
 * On the monotonic clock. A request never waits longer than its back-off from now on: a stored time that is later than that was
 * stored before a clock was set back.
 */
const endOfBackOff = ({ retryAt, backOffMs = retryMaxRange.max }: WorkEntry, now: Moment): number | undefined =>
  retryAt && now.ms + Math.min(Math.max(0, retryAt.getTime() - now.date.getTime()), backOffMs);

/** Claimed, and not in its back-off: it runs, or its run was interrupted. */
const isUnderWay = (entry: WorkEntry): boolean => entry.status === 'processing' && !isInBackOff(entry);

/** Settled, given back or claimed again, a request is not lent any more. */
const isLent = (entry: WorkEntry, lent: Lent | undefined): boolean =>
  lent !== undefined && entry.seq === lent.seq && entry.token === lent.token && isUnderWay(entry);

/** A request whose run an operator ended waits for nothing. */
const waitOf = (entry: WorkEntry, now: Moment): Pick<HeldRequest, 'ended' | 'blocked' | 'retryAt'> => {
  if (entry.endRequestedAt) return { ended: true, blocked: false };
  return { blocked: entry.status === 'blocked', retryAt: endOfBackOff(entry, now) };
};

export const fromEntry = (entry: WorkEntry, lent: Lent | undefined, now: Moment): HeldRequest => ({
  ...waitOf(entry, now),
  isFromMessage: false,
  bytesThrough: entry.bytesThrough,
  acceptedAt: entry.acceptedAt,
  attempts: entry.attempts,
  limits: entry.limits ?? {},
  forgiven: entry.forgiven ?? 0,
  interruptions: entry.interruptions ?? 0,
  traceparent: entry.traceparent,
  interrupted: isUnderWay(entry) && !isLent(entry, lent),
  lent: isLent(entry, lent),
  heldSince: now.ms,
});

/** Waits for a person, its next attempt or the worker that still runs it. A refresh reads it again: it may have changed. */
export const mustWait = ({ blocked, lent, retryAt }: HeldRequest, now: number): boolean =>
  blocked || lent || (retryAt !== undefined && retryAt > now);

export class HeldRequests {
  readonly #bySeq = new Map<number, HeldRequest>();
  readonly #bodies = new Map<number, HeldBody>();
  readonly #deliveries = new RequestDeliveries();
  #isClosed = false;
  /** The newest back-off, and when it ends. */
  #backOff: { seq: number; attempts: number; until: number } | undefined;

  get size(): number {
    return this.#bySeq.size;
  }

  get(seq: number): HeldRequest | undefined {
    return this.#bySeq.get(seq);
  }

  seqs(): number[] {
    return [...this.#bySeq.keys()];
  }

  /** The body, which stays here. */
  bodyOf(seq: number): string | undefined {
    return this.#bodies.get(seq)?.text;
  }

  /** The body, for the caller to free. */
  takeBody(seq: number): HeldBody | undefined {
    const body = this.#bodies.get(seq);
    this.#bodies.delete(seq);
    return body;
  }

  /** Keeps its message unacknowledged, where there is one. */
  set(seq: number, request: HeldRequest, body?: HeldBody): void {
    this.#bySeq.set(seq, this.withKnownBackOff(seq, request));
    this.#setBody(seq, body);
  }

  /** A back-off that was read again does not get longer: its stored end is far away when MongoDB's clock was set back. */
  withKnownBackOff(seq: number, request: HeldRequest): HeldRequest {
    return { ...request, retryAt: this.#endOfBackOff(seq, request) };
  }

  #setBody(seq: number, body: HeldBody | undefined): void {
    this.takeBody(seq)?.free();
    if (body && this.#isClosed) body.free();
    else if (body) this.#bodies.set(seq, body);
  }

  #endOfBackOff(seq: number, { attempts, retryAt }: HeldRequest): number | undefined {
    if (retryAt === undefined) return undefined;
    const seen = this.#backOff;
    const isSame = seen?.seq === seq && seen.attempts === attempts;
    const until = isSame ? Math.min(seen.until, retryAt) : retryAt;
    this.#backOff = { seq, attempts, until };
    return until;
  }

  /** A second message of the same request is acknowledged at once. */
  addMessage(
    message: RequestMessage,
    delivery: Delivery,
    now: number,
    hold: (text: string) => HeldBody | undefined,
  ): void {
    const { seq } = message;
    if (this.#deliveries.has(seq)) {
      ackAtOnce(delivery);
      return;
    }
    this.#deliveries.keep(seq, delivery);
    const known = this.#bySeq.get(seq);
    if (!known) this.#setBody(seq, hold(message.body));
    this.#bySeq.set(seq, { ...(known ?? fromMessage(message, now)), heldSince: now });
  }

  /** Lets go of one request: the ledger has it. */
  drop(seq: number): void {
    this.#deliveries.ack(seq);
    this.#forget(seq);
  }

  #forget(seq: number): void {
    this.#bySeq.delete(seq);
    this.#setBody(seq, undefined);
  }

  dropBelow(next: number): void {
    for (const seq of this.seqs()) if (seq < next) this.drop(seq);
  }

  /** Lets go of everything, for good. */
  dropAll(): void {
    this.close();
    for (const seq of this.seqs()) this.drop(seq);
  }

  /** The user is not served here any more: no body is kept from now on. */
  close(): void {
    this.#isClosed = true;
    for (const seq of [...this.#bodies.keys()]) this.#setBody(seq, undefined);
  }

  /**
   * Acknowledges what has been held since `before`, so that nothing is held near the broker's `consumer_timeout`. Of that
   * only `next` stays in memory: the broker answers each acknowledgement with one more message.
   */
  ackHeldSince(before: number, next: number): void {
    for (const [seq, { heldSince }] of [...this.#bySeq]) {
      if (heldSince > before) continue;
      this.#deliveries.ack(seq);
      if (seq > next) this.#forget(seq);
    }
  }
}
