/** What clients are told, for every order in which requests can go on, and every moment at which the ledger can be read. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cursorAfter, cursorText, maxSpans, readCursor } from '../../lib/events/cursor.ts';
import { whatHappened } from '../../lib/events/what-happened.ts';
import type { Cursor } from '../../lib/ports.ts';
import { isSettled, type RequestStatus } from '../../lib/types.ts';

type Entry = { seq: number; status: RequestStatus; attempts: number; retryAt?: Date };

const entry = (seq: number, status: RequestStatus, attempts = 0, retryAt?: Date): Entry => ({
  seq,
  status,
  attempts,
  ...(retryAt && { retryAt }),
});
const at = (text: string): Cursor => {
  const cursor = readCursor(text);
  if (!cursor) throw new Error(`${text} is no cursor`);
  return cursor;
};
const told = (cursor: string, ...entries: Entry[]) =>
  whatHappened(at(cursor), entries).events.map(
    ({ type, entry, cursor }) => `${type} ${entry.seq} ${cursorText(cursor)}`,
  );

describe('what a client is told', () => {
  test('is the whole way of one request', () => {
    expect(told('0', entry(1, 'queued'))).toEqual(['accepted 1 0.1']);
    expect(told('0.1', entry(1, 'processing', 1))).toEqual(['started 1 0.1.1r']);
    expect(told('0.1.1r', entry(1, 'processing', 1, new Date()))).toEqual(['attempt-failed 1 0.1.1f']);
    expect(told('0.1.1f', entry(1, 'processing', 2))).toEqual(['started 1 0.1.2r']);
    expect(told('0.1.2r', entry(1, 'blocked', 2))).toEqual(['blocked 1 0.1.2b']);
    expect(told('0.1.2b', entry(1, 'queued', 2))).toEqual(['queued-again 1 0.1.2q']);
    expect(told('0.1.2q', entry(1, 'done', 3))).toEqual(['settled 1 1']);
  });

  test('says the newest state alone of a request that has gone on in between', () => {
    expect(told('0', entry(1, 'done', 1), entry(2, 'blocked', 3), entry(3, 'queued'))).toEqual([
      'settled 1 1',
      'blocked 2 1.2.3b',
      'accepted 3 1.3.3b',
    ]);
    expect(told('0.1.2r', entry(1, 'processing', 2))).toEqual([]);
    expect(told('0.1.2r', entry(1, 'processing', 1, new Date()))).toEqual([]);
  });

  test('passes over tombstones, and waits for a request that is not recorded yet', () => {
    expect(told('0', entry(1, 'abandoned'), entry(2, 'queued'))).toEqual(['accepted 2 1.2']);
    expect(told('0', entry(1, 'queued'), entry(2, 'abandoned'), entry(4, 'queued'))).toEqual(['accepted 1 0.1']);
    expect(whatHappened(at('0.2'), [entry(1, 'abandoned'), entry(2, 'abandoned')])).toMatchObject({
      events: [],
      cursor: cursorAfter(2),
    });
  });

  test('says at once that a request was cancelled before its turn, and not again', () => {
    expect(told('1.9.1r', entry(4, 'cancelled'), entry(5, 'cancelled'), entry(7, 'cancelled'))).toEqual([
      'settled 4 1.9.1r~4',
      'settled 5 1.9.1r~4-5',
      'settled 7 1.9.1r~4-5,7',
    ]);
    expect(told('1.9.1r~3-5', entry(2, 'done', 1), entry(6, 'processing', 1))).toEqual([
      'settled 2 5.9',
      'started 6 5.9.1r',
    ]);
    expect(told('1.2', entry(3, 'cancelled'), entry(4, 'queued'))).toEqual(['settled 3 1.3~3', 'accepted 4 1.4~3']);
  });

  test('says it when its turn comes, where the cursor has no more room', () => {
    const every = Array.from({ length: maxSpans + 1 }, (_, index) => entry(3 + 2 * index, 'cancelled'));
    const { events, cursor } = whatHappened(at('1.999'), every);
    expect(events).toHaveLength(maxSpans);
    expect(cursor.spans).toHaveLength(maxSpans);
    const last = every.at(-1) as Entry;
    const later = { ...cursor, settledThrough: last.seq - 1, spans: [] };
    expect(whatHappened(later, [last]).events).toMatchObject([{ type: 'settled', entry: last }]);
  });

  test('is in order, even where one read shows a later request first', () => {
    expect(told('0.2.1r', entry(1, 'processing', 1), entry(2, 'done', 1))).toEqual([]);
    expect(told('0.1.1r', entry(1, 'processing', 1), entry(2, 'processing', 1))).toEqual([]);
  });
});

/** What can happen to a user's requests, one step at a time. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant('accept' as const) },
  { weight: 6, arbitrary: fc.constantFrom('run', 'done', 'failed', 'fail', 'block', 'again', 'interrupt') },
  { weight: 2, arbitrary: fc.record({ cancel: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constantFrom('gap', 'tombstone') },
  { weight: 3, arbitrary: fc.record({ read: fc.nat(4), resumes: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Ledger {
  readonly entries = new Map<number, Entry>();
  accepted = 0;

  take(what: Step): void {
    const front = [...this.entries.values()].sort((a, b) => a.seq - b.seq).find((one) => !isSettled(one));
    const gap = Array.from({ length: this.accepted }, (_, index) => index + 1).find((seq) => !this.entries.has(seq));
    if (what === 'accept') this.#put(entry(++this.accepted, 'queued'));
    else if (what === 'gap') this.accepted += 1;
    else if (what === 'tombstone') {
      if (gap !== undefined) this.#put(entry(gap, 'abandoned'));
    } else if (typeof what === 'object' && 'cancel' in what) this.#cancel(what.cancel);
    else if (typeof what === 'string' && front && (gap === undefined || front.seq < gap)) this.#goOn(front, what);
  }

  /** Some of the entries, as one read of the feed finds them. */
  read({ settledThrough, acceptedThrough }: Cursor, count: number): Entry[] {
    const front = Array.from({ length: count }, (_, index) => settledThrough + 1 + index);
    const next = Array.from({ length: count }, (_, index) => acceptedThrough + 1 + index);
    const seqs = [...new Set([...front, ...next])].sort((a, b) => a - b);
    return seqs.flatMap((seq) => this.entries.get(seq) ?? []);
  }

  #put(one: Entry): void {
    this.entries.set(one.seq, one);
  }

  #cancel(which: number): void {
    const waiting = [...this.entries.values()].filter(({ status, attempts }) => status === 'queued' && attempts === 0);
    const one = waiting[which % Math.max(1, waiting.length)];
    if (one) this.#put(entry(one.seq, 'cancelled'));
  }

  #goOn({ seq, status, attempts, retryAt }: Entry, what: string): void {
    const runs = status === 'processing' && !retryAt;
    if (what === 'run' && !runs && status !== 'blocked') this.#put(entry(seq, 'processing', attempts + 1));
    if (runs && (what === 'done' || what === 'failed')) this.#put(entry(seq, what, attempts));
    if (runs && what === 'fail') this.#put(entry(seq, 'processing', attempts, new Date()));
    if (runs && what === 'block') this.#put(entry(seq, 'blocked', attempts));
    if (runs && what === 'interrupt') this.#put(entry(seq, 'queued', attempts));
    if (what === 'again' && (status === 'blocked' || retryAt)) this.#put(entry(seq, 'queued', attempts));
  }
}

const rank = { accepted: 0, started: 1, 'attempt-failed': 2, blocked: 2, 'queued-again': 3, settled: 4 };

test('whatever happens, and whenever it is read: each end is told once, states never go back, and nothing is left out', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const ledger = new Ledger();
      let cursor = cursorAfter(0);
      const events: { type: keyof typeof rank; seq: number; attempts: number; status: RequestStatus }[] = [];
      const read = (count: number): number => {
        const found = whatHappened(cursor, ledger.read(cursor, count));
        for (const {
          type,
          entry: { seq, attempts, status },
        } of found.events)
          events.push({ type, seq, attempts, status });
        for (const { cursor: between } of found.events) expect(readCursor(cursorText(between))).toEqual(between);
        const hasMoved = cursorText(found.cursor) !== cursorText(cursor);
        cursor = found.cursor;
        return hasMoved ? 1 : 0;
      };
      for (const one of steps) {
        if (typeof one === 'object' && 'read' in one) {
          read(one.read + 1);
          if (one.resumes) cursor = at(cursorText(cursor));
        } else ledger.take(one);
      }
      // Every gap becomes a tombstone, and then everything is read.
      for (let seq = 1; seq <= ledger.accepted; seq += 1) ledger.take('tombstone');
      while (read(5) > 0);

      const all = [...ledger.entries.values()].filter(({ status }) => status !== 'abandoned');
      const ends = events.filter(({ type }) => type === 'settled').map(({ seq }) => seq);
      expect([...ends].sort((a, b) => a - b)).toEqual(
        all
          .filter(isSettled)
          .map(({ seq }) => seq)
          .sort((a, b) => a - b),
      );
      const ran = events.filter(({ type, status }) => type === 'settled' && status !== 'cancelled');
      expect(ran.map(({ seq }) => seq)).toEqual(ran.map(({ seq }) => seq).sort((a, b) => a - b));
      for (const [seq, own] of Map.groupBy(events, ({ seq }) => seq)) {
        const places = own.map(({ type, attempts }) => (type === 'settled' ? 1e9 : attempts * 10 + rank[type]));
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
        const { status, attempts } = ledger.entries.get(seq) as Entry;
        expect(own.at(-1)).toMatchObject({ status, attempts });
      }
      expect(new Set(events.map(({ seq }) => seq))).toEqual(new Set(all.map(({ seq }) => seq)));
    }),
    { numRuns: 500 },
  );
});
