import { describe, expect, test } from '@jest/globals';
import {
  decideStep,
  type LoadedUser,
  letGoHeld,
  loadUser,
  noteEntries,
  noteLook,
  noteMessage,
} from '../../lib/lanes/user-state.ts';
import type { LedgerEntry, UserQueue } from '../../lib/types.ts';

const start = new Date('2026-01-01T00:00:00Z');
const at = (ms: number) => new Date(start.getTime() + ms);
const limits = { gapTimeoutMs: 1_000, idleTimeoutMs: 60_000, stuckAfterMs: 5_000 };

const queueOf = (changes: Partial<UserQueue> = {}): UserQueue => ({
  userId: 'u',
  lane: 3,
  sessions: [{ id: 's', expiresAt: at(1e9) }],
  state: 'open',
  accepted: 0,
  settled: 0,
  updatedAt: start,
  ...changes,
});

const entryOf = (seq: number, changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
  userId: 'u',
  seq,
  body: `"${seq}"`,
  status: 'queued',
  attempts: 0,
  acceptedAt: start,
  ...changes,
});

const delivery = () => {
  const acks = {
    count: 0,
    ack: () => {
      acks.count += 1;
    },
  };
  return acks;
};

const message = (seq: number) => ({ seq, body: `"${seq}"`, acceptedAt: start.getTime() });
const user = (changes: Partial<UserQueue> = {}): LoadedUser => ({
  ...loadUser(queueOf(changes), start),
  queue: 'open',
});
const step = (of: LoadedUser, ms = 0) => decideStep(of, at(ms), limits);

describe('what may run', () => {
  test('only the lowest unsettled request runs, whatever else has arrived', () => {
    const u = user({ accepted: 0 });
    noteMessage(u, message(2), delivery(), start);
    expect(step(u)).toEqual({ kind: 'read' });
    noteMessage(u, message(1), delivery(), start);
    expect(step(u)).toMatchObject({ kind: 'run', request: { body: '"1"' } });
  });

  test('a message of a request that is settled is acked and changes nothing', () => {
    const u = user({ accepted: 4, settled: 4 });
    const late = delivery();
    noteMessage(u, message(3), late, start);
    expect(late.count).toBe(1);
    expect(u.held.size).toBe(0);
  });

  test('a message stays unacked until its request is claimed, and a second one of it is acked at once', () => {
    const u = user();
    const [first, second] = [delivery(), delivery()];
    noteMessage(u, message(1), first, start);
    noteMessage(u, message(1), second, start);
    expect([first.count, second.count]).toEqual([0, 1]);
  });

  test('what waits for long behind another is left to the ledger, however much of it comes', () => {
    const u = user();
    const deliveries = Array.from({ length: 40 }, delivery);
    deliveries.forEach((one, index) => {
      noteMessage(u, message(index + 1), one, at(index));
      if (index % 8 === 7) letGoHeld(u, at(index));
    });
    expect(deliveries.map(({ count }) => count)).toEqual(deliveries.map(() => 1));
    expect([...u.held.keys()]).toEqual([1]);
    expect(u.known).toBe(40);
  });

  test('what a message says of limits and interruptions goes into the run', () => {
    const u = user();
    noteMessage(u, { ...message(1), limits: { timeoutMs: 5 }, interruptions: 2 }, delivery(), start);
    expect(step(u)).toMatchObject({ kind: 'run', request: { limits: { timeoutMs: 5 }, interruptions: 2 } });
  });

  test('settled entries are skipped, and what follows them is held', () => {
    const u = user({ accepted: 4 });
    const entries = [entryOf(1, { status: 'done' }), entryOf(2, { status: 'cancelled' }), entryOf(3), entryOf(4)];
    noteEntries(u, 4, entries, start);
    expect(u.next).toBe(3);
    expect(step(u)).toMatchObject({ kind: 'run', request: { body: '"3"', attempts: 0 } });
  });

  test('what lies beyond a read is no gap: a long row of settled entries is skipped without a pause', () => {
    const u = user({ accepted: 104 });
    for (let first = 1; first <= 97; first += 8) {
      expect(step(u)).toEqual({ kind: 'read' });
      const read = Array.from({ length: 8 }, (_, index) => entryOf(first + index, { status: 'cancelled' }));
      noteEntries(u, first + 7, read, start);
    }
    expect(u).toMatchObject({ next: 105, gap: undefined });
  });

  test('a request in its back-off waits in its place, and nothing overtakes it', () => {
    const u = user({ accepted: 2 });
    noteEntries(u, 2, [entryOf(1, { status: 'processing', attempts: 2, retryAt: at(500) }), entryOf(2)], start);
    expect(step(u, 499)).toEqual({ kind: 'wait', until: at(500) });
    expect(step(u, 500)).toMatchObject({ kind: 'run', request: { attempts: 2 } });
  });
});

describe('a ticket without a record', () => {
  test('is read again a few times within gapTimeoutMs and buried only after it', () => {
    const u = user({ accepted: 2 });
    const kinds: string[] = [];
    for (let ms = 0; ms <= 1_000; ms += 125) {
      const now = step(u, ms);
      kinds.push(now.kind);
      if (now.kind === 'read') noteEntries(u, 2, [entryOf(2)], at(ms));
    }
    expect(kinds).toEqual(['read', 'wait', 'read', 'wait', 'read', 'wait', 'read', 'wait', 'bury']);
  });

  test('is no gap any more when its message arrives', () => {
    const u = user({ accepted: 2 });
    noteEntries(u, 2, [entryOf(2)], start);
    noteMessage(u, message(1), delivery(), at(10));
    expect(step(u, 10)).toMatchObject({ kind: 'run', request: { body: '"1"' } });
  });
});

test('a user is vouched for since its user queue says so, whenever it was loaded', () => {
  expect(user({ vouchedAt: at(-9_000) }).vouchedAt).toEqual(at(-9_000));
  expect(user().vouchedAt).toEqual(new Date(0));
});

describe('closing', () => {
  const drained = (changes: Partial<UserQueue> = {}) => user({ accepted: 2, settled: 2, ...changes });

  test('begins when the user is drained and no session is left', () => {
    expect(step(drained({ sessions: [] }))).toEqual({ kind: 'begin-close', onlyWithoutSession: true });
  });

  test('begins for a connected user only after idleTimeoutMs', () => {
    expect(step(drained(), 59_999)).toEqual({ kind: 'wait', until: at(60_000) });
    expect(step(drained(), 60_000)).toEqual({ kind: 'begin-close', onlyWithoutSession: false });
  });

  test('never begins while a request is unsettled', () => {
    const u = user({ accepted: 3, settled: 2, sessions: [] });
    expect(step(u, 1e9).kind).toBe('read');
  });

  test('waits for a look that is due and for a queue that is being opened', () => {
    expect(step({ ...drained({ sessions: [] }), lookDue: true })).toEqual({ kind: 'none' });
    expect(step({ ...drained({ sessions: [] }), queue: 'opening' })).toEqual({ kind: 'none' });
  });

  test('is finished by whoever loads a closing user', () => {
    expect(step(drained({ state: 'closing' }))).toEqual({ kind: 'end-close' });
  });

  test('is given up when a look shows that the user was opened again', () => {
    const u = drained({ state: 'closing', sessions: [] });
    noteLook(u, queueOf({ accepted: 3, settled: 2 }), start);
    expect(u).toMatchObject({ closing: false, drain: false, known: 3 });
    expect(step(u).kind).toBe('read');
  });

  test('a look never lowers what is known', () => {
    const u = user();
    noteMessage(u, message(5), delivery(), start);
    noteLook(u, queueOf({ accepted: 4 }), start);
    expect(u.known).toBe(5);
  });
});
