/** What a client does not know yet, from what it knows and what the ledger says: a pure function. */
import type { Cursor, Known, Phase, RequestEventType } from '../ports.ts';
import { isInBackOff, isSettled, type LedgerEntry } from '../types.ts';
import { cursorPast, isInSpans, spansWith } from './cursor.ts';

type Seen = Pick<LedgerEntry, 'seq' | 'status' | 'attempts' | 'retryAt'>;

/** `cursor`: what the client knows with this event. */
export type Happened<E> = { type: RequestEventType; entry: E; cursor: Cursor };

const phaseOf = (entry: Seen): Phase => {
  if (entry.status === 'queued') return 'q';
  if (entry.status === 'blocked') return 'b';
  return isInBackOff(entry) ? 'f' : 'r';
};

/** Where each phase is among those of one attempt: a run fails or is blocked, and may then be queued again. */
const places: Record<Phase, number> = { r: 0, f: 1, b: 1, q: 2 };

const isLater = (one: Known, other: Known): boolean =>
  one.attempts === other.attempts ? places[one.phase] > places[other.phase] : one.attempts > other.attempts;

const knownOf = (entry: Seen): Known => ({ attempts: entry.attempts, phase: phaseOf(entry) });

/** Whether the client of this cursor does not know what this entry says of the first request that it does not know to be settled. */
export const isNews = (cursor: Cursor, entry: Seen): boolean =>
  entry.seq > cursor.acceptedThrough || isSettled(entry) || isLater(knownOf(entry), cursor.front);

const typeOf = { q: 'accepted', r: 'started', f: 'attempt-failed', b: 'blocked' } as const;

class Story<E extends Seen> {
  readonly events: Happened<E>[] = [];
  cursor: Cursor;
  readonly #entries: Map<number, E>;

  constructor(cursor: Cursor, entries: E[]) {
    this.cursor = cursor;
    this.#entries = new Map(entries.map((entry) => [entry.seq, entry]));
  }

  /** From the first request that is not settled on, as long as they are settled. Tombstones are passed over. */
  tellFront(): void {
    for (;;) {
      const entry = this.#entries.get(this.cursor.settledThrough + 1);
      if (!entry) return;
      if (!isSettled(entry)) {
        this.#tellUnsettled(entry);
        return;
      }
      this.cursor = cursorPast(this.cursor, entry.seq);
      if (entry.status !== 'abandoned') this.#tell('settled', entry);
    }
  }

  /** Requests that were cancelled before their turn. */
  tellCancelled(): void {
    const { settledThrough, acceptedThrough } = this.cursor;
    for (const entry of this.#entries.values()) {
      const isBehindFront = entry.seq > settledThrough + 1 && entry.seq <= acceptedThrough;
      if (isBehindFront && entry.status === 'cancelled' && !isInSpans(this.cursor.spans, entry.seq))
        this.#cancelled(entry, acceptedThrough);
    }
  }

  /** One that runs already was read later than the one before it: it is told when its turn comes. */
  tellAccepted(): void {
    for (;;) {
      const seq = this.cursor.acceptedThrough + 1;
      const entry = this.#entries.get(seq);
      if (!entry) return;
      if (entry.status === 'cancelled') this.#cancelled(entry, seq);
      this.cursor = { ...this.cursor, acceptedThrough: seq };
      if (entry.status === 'queued') this.#tell('accepted', entry);
    }
  }

  #tellUnsettled(entry: E): void {
    const { acceptedThrough, front } = this.cursor;
    const known = knownOf(entry);
    const isFirst = entry.seq > acceptedThrough;
    if (!isFirst && !isLater(known, front)) return;
    this.cursor = { ...this.cursor, acceptedThrough: Math.max(acceptedThrough, entry.seq), front: known };
    this.#tell(!isFirst && known.phase === 'q' ? 'queued-again' : typeOf[known.phase], entry);
  }

  /** Without room it is told when its turn comes. */
  #cancelled(entry: E, acceptedThrough: number): void {
    const spans = spansWith(this.cursor.spans, entry.seq);
    if (!spans) return;
    this.cursor = { ...this.cursor, acceptedThrough, spans };
    this.#tell('settled', entry);
  }

  #tell(type: RequestEventType, entry: E): void {
    this.events.push({ type, entry, cursor: this.cursor });
  }
}

/** @param entries what was read of the requests after `settledThrough`, in the order of `seq`; not necessarily all of them. */
export const whatHappened = <E extends Seen>(
  cursor: Cursor,
  entries: E[],
): { events: Happened<E>[]; cursor: Cursor } => {
  const story = new Story(cursor, entries);
  story.tellFront();
  story.tellCancelled();
  story.tellAccepted();
  return { events: story.events, cursor: story.cursor };
};
