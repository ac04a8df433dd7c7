/** What is decided about one loaded user. */
import { describe, expect, test } from '@jest/globals';
import { advancePast, noteMessage, noteRefresh } from '../../lib/lanes/loaded-user.ts';
import { noteEntries } from '../../lib/lanes/note-entries.ts';
import type { LedgerEntry, UserQueue } from '../../lib/types.ts';
import { at, delivery, entryOf, message, moment, queueOf, step, user } from './one-user.ts';

describe('a request', () => {
  test('only the lowest unsettled request runs, whatever else has arrived', () => {
    const u = user({ accepted: 0 });
    noteMessage(u, message(2), delivery(), 0);
    expect(step(u)).toEqual({ kind: 'read' });
    noteMessage(u, message(1), delivery(), 0);
    expect(step(u)).toMatchObject({ kind: 'run' });
    expect(u.held.bodyOf(1)).toBe('"1"');
  });

  test('a request in its back-off keeps its place, and nothing overtakes it', () => {
    const u = user({ accepted: 2 });
    noteEntries(u, 2, [entryOf(1, { status: 'processing', attempts: 2, retryAt: at(500) }), entryOf(2)], moment());
    expect(step(u, 499)).toEqual({ kind: 'wait', until: 500 });
    expect(step(u, 500)).toMatchObject({ kind: 'run', request: { attempts: 2 } });
  });

  test.each([
    ['in a long back-off', { status: 'processing', attempts: 2, retryAt: at(86_400_000) }],
    ['that is blocked', { status: 'blocked', attempts: 2 }],
  ] as const)(
    'a request %s is read again every stuckAfterMs, because the wake of a decision can be lost',
    (_how, changes) => {
      const u = user({ accepted: 2 });
      noteEntries(u, 2, [entryOf(1, changes), entryOf(2)], moment());
      expect(step(u, 4_999)).toEqual({ kind: 'wait', until: 5_000 });
      expect(step(u, 5_000)).toEqual({ kind: 'read' });
      noteEntries(u, 1, [entryOf(1, changes)], moment(5_010));
      expect(step(u, 5_010)).toEqual({ kind: 'wait', until: 10_010 });
    },
  );
});

describe("a back-off that is read again after MongoDB's clock was set back by an hour", () => {
  const entry = entryOf(1, { status: 'processing', attempts: 1, retryAt: at(20_000), backOffMs: 20_000 });
  const setBack = (ms: number) => ({ ms, date: at(ms - 3_600_000) });

  test('ends when it was first found to end, although it is read every stuckAfterMs', () => {
    const u = user({ accepted: 1 });
    noteEntries(u, 1, [entry], moment());
    for (const ms of [5_000, 10_000, 15_000]) {
      expect(step(u, ms)).toEqual({ kind: 'read' });
      noteEntries(u, 1, [entry], setBack(ms));
    }
    expect(step(u, 19_999)).toEqual({ kind: 'wait', until: 20_000 });
    expect(step(u, 20_000).kind).toBe('run');
  });

  test('ends when it was first found to end, although a refresh made the owner read it', () => {
    const u = user({ accepted: 1 });
    noteEntries(u, 1, [entry], moment());
    noteRefresh(u, queueOf({ accepted: 1 }), setBack(19_000));
    noteEntries(u, 1, [entry], setBack(19_000));
    expect(step(u, 20_000).kind).toBe('run');
  });

  test('says nothing about the back-off of the next attempt', () => {
    const u = user({ accepted: 1 });
    noteEntries(u, 1, [entry], moment());
    noteEntries(u, 1, [{ ...entry, attempts: 2, retryAt: at(40_000) }], moment(21_000));
    expect(step(u, 25_999)).toEqual({ kind: 'wait', until: 26_000 });
    noteEntries(u, 1, [{ ...entry, attempts: 2, retryAt: at(40_000) }], moment(36_000));
    expect(step(u, 39_999)).toEqual({ kind: 'wait', until: 40_000 });
  });
});

describe('a ticket without a record', () => {
  test('is read several times within gapTimeoutMs, and becomes a tombstone only after that', () => {
    const u = user({ accepted: 2 });
    const kinds: string[] = [];
    for (let ms = 0; ms <= 1_000; ms += 125) {
      const now = step(u, ms);
      kinds.push(now.kind);
      if (now.kind === 'read') noteEntries(u, 2, [entryOf(2)], moment(ms));
    }
    expect(kinds).toEqual(['read', 'wait', 'read', 'wait', 'read', 'wait', 'read', 'wait', 'write-tombstone']);
  });

  /** Drives the user as its owner does, from 0 to `untilMs`. Returns when each tombstone was written. */
  const tombstones = (u: ReturnType<typeof user>, untilMs: number, entries: () => LedgerEntry[] = () => []) => {
    const written: [seq: number, ms: number][] = [];
    for (let ms = 0; ms <= untilMs; ms += 125) {
      for (let now = step(u, ms); now.kind === 'read' || now.kind === 'write-tombstone'; now = step(u, ms)) {
        if (now.kind === 'read') noteEntries(u, Math.min(u.known, u.next + 7), entries(), moment(ms));
        else {
          written.push([u.next, ms]);
          advancePast(u, { seq: u.next }, ms);
        }
      }
    }
    return written;
  };

  test('costs gapTimeoutMs once, however many in a row are missing', () => {
    const u = user({ accepted: 4 });
    expect(tombstones(u, 1_000)).toEqual([1, 2, 3, 4].map((seq) => [seq, 1_000]));
  });

  test('waits for a full gapTimeoutMs of its own when it was taken after the first was found missing', () => {
    const u = user({ accepted: 2 });
    expect(tombstones(u, 875)).toEqual([]);
    u.known = 3;
    expect(tombstones(u, 2_000)).toEqual([
      [1, 1_000],
      [2, 1_000],
      [3, 2_000],
    ]);
  });

  test('counts from when the tickets were known, although a record in between came late', () => {
    const u = user({ accepted: 3 });
    expect(tombstones(u, 500)).toEqual([]);
    noteEntries(u, 3, [entryOf(1, { status: 'cancelled' }), entryOf(2, { status: 'cancelled' })], moment(500));
    expect(u.next).toBe(3);
    expect(tombstones(u, 1_000)).toEqual([[3, 1_000]]);
  });

  test('is filled when its message arrives', () => {
    const u = user({ accepted: 2 });
    noteEntries(u, 2, [entryOf(2)], moment());
    noteMessage(u, message(1), delivery(), 10);
    expect(step(u, 10)).toMatchObject({ kind: 'run' });
    expect(u.held.bodyOf(1)).toBe('"1"');
  });
});

describe('closing', () => {
  const drained = (changes: Partial<UserQueue> = {}) => user({ accepted: 2, settled: 2, ...changes });

  test('begins when the user is drained and has no session', () => {
    expect(step(drained({ sessions: [] }))).toEqual({ kind: 'begin-close', onlyWithoutSession: true });
  });

  test('begins for a connected user only after idleTimeoutMs', () => {
    expect(step(drained(), 59_999)).toEqual({ kind: 'wait', until: 60_000 });
    expect(step(drained(), 60_000)).toEqual({ kind: 'begin-close', onlyWithoutSession: false });
  });

  test('never begins while a request is unsettled', () => {
    const u = user({ accepted: 3, settled: 2, sessions: [] });
    expect(step(u, 1e9).kind).toBe('read');
  });

  test('waits for a refresh that is under way and for a queue that is being opened', () => {
    expect(step({ ...drained({ sessions: [] }), refreshDue: true })).toEqual({ kind: 'none' });
    expect(step({ ...drained({ sessions: [] }), queue: 'opening' })).toEqual({ kind: 'none' });
  });

  test('is finished by the owner that loads a closing user', () => {
    expect(step(drained({ state: 'closing' }))).toEqual({ kind: 'end-close' });
  });

  test('is abandoned when a refresh shows that the user was opened again', () => {
    const u = drained({ state: 'closing', sessions: [] });
    noteRefresh(u, queueOf({ accepted: 3, settled: 2 }), moment());
    expect(u).toMatchObject({ closing: false, drain: false, known: 3 });
    expect(step(u).kind).toBe('read');
  });
});
