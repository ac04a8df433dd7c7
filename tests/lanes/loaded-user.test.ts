/** The record of one loaded user: what messages, ledger entries and refreshes change in it. */
import { expect, test } from '@jest/globals';
import { noteMessage, noteRefresh } from '../../lib/lanes/loaded-user.ts';
import { noteEntries } from '../../lib/lanes/note-entries.ts';
import { at, delivery, entryOf, message, moment, queueOf, step, user } from './one-user.ts';

test('a message of a settled request is acknowledged and changes nothing', () => {
  const u = user({ accepted: 4, settled: 4 });
  const late = delivery();
  noteMessage(u, message(3), late, 0);
  expect(late.count).toBe(1);
  expect(u.held.size).toBe(0);
});

test('a message stays unacknowledged while its request waits; a second message of the same request is acknowledged at once', () => {
  const u = user();
  const [first, second] = [delivery(), delivery()];
  noteMessage(u, message(1), first, 0);
  noteMessage(u, message(1), second, 0);
  expect([first.count, second.count]).toEqual([0, 1]);
});

test('messages held for long behind another request are acknowledged, and their requests left to the ledger', () => {
  const u = user();
  const deliveries = Array.from({ length: 40 }, delivery);
  deliveries.forEach((one, index) => {
    noteMessage(u, message(index + 1), one, index);
    if (index % 8 === 7) u.held.ackHeldSince(index, u.next);
  });
  expect(deliveries.map(({ count }) => count)).toEqual(deliveries.map(() => 1));
  expect(u.held.seqs()).toEqual([1]);
  expect(u.known).toBe(40);
});

test('the limits and interruptions in a message reach the run', () => {
  const u = user();
  noteMessage(u, { ...message(1), limits: { timeoutMs: 5 }, interruptions: 2 }, delivery(), 0);
  expect(step(u)).toMatchObject({ kind: 'run', request: { limits: { timeoutMs: 5 }, interruptions: 2 } });
});

test('settled entries are skipped, and the unsettled ones behind them are held', () => {
  const u = user({ accepted: 4 });
  const entries = [entryOf(1, { status: 'done' }), entryOf(2, { status: 'cancelled' }), entryOf(3), entryOf(4)];
  noteEntries(u, 4, entries, moment());
  expect(u.next).toBe(3);
  expect(step(u)).toMatchObject({ kind: 'run', request: { attempts: 0 } });
  expect(u.held.bodyOf(3)).toBe('"3"');
});

test('many consecutive settled entries are skipped without a pause: the end of a read is not a gap', () => {
  const u = user({ accepted: 104 });
  for (let first = 1; first <= 97; first += 8) {
    expect(step(u)).toEqual({ kind: 'read' });
    const read = Array.from({ length: 8 }, (_, index) => entryOf(first + index, { status: 'cancelled' }));
    noteEntries(u, first + 7, read, moment());
  }
  expect(u).toMatchObject({ next: 105, gap: undefined });
});

test('a refresh never lowers the highest known seq', () => {
  const u = user();
  noteMessage(u, message(5), delivery(), 0);
  noteRefresh(u, queueOf({ accepted: 4 }), moment());
  expect(u.known).toBe(5);
});

test.each([
  ['in its back-off', { status: 'processing', attempts: 1, retryAt: at(60_000) }],
  ['blocked', { status: 'blocked', attempts: 1 }],
] as const)('a refresh makes the owner read a request again that is %s, at once', (_how, changes) => {
  const u = user({ accepted: 2 });
  u.gap = { readAt: 0 };
  noteEntries(u, 2, [entryOf(1, changes), entryOf(2)], moment());
  noteRefresh(u, queueOf({ accepted: 2 }), moment(10));
  expect(step(u, 10)).toEqual({ kind: 'read' });
  noteEntries(u, 2, [entryOf(1, { status: 'cancelled', attempts: 1 }), entryOf(2)], moment(20));
  expect(step(u, 20)).toMatchObject({ kind: 'run' });
  expect(u.held.bodyOf(2)).toBe('"2"');
});

test('a refresh leaves a request alone whose back-off is over: it may wait for a slot, or be claimed already', () => {
  const u = user({ accepted: 1 });
  noteEntries(u, 1, [entryOf(1, { status: 'processing', attempts: 1, retryAt: at(10) })], moment());
  noteRefresh(u, queueOf({ accepted: 1 }), moment(10));
  expect(step(u, 10)).toMatchObject({ kind: 'run', request: { attempts: 1 } });
});

test('a message of a request that waits for long is acknowledged at the next read: the ledger has it', () => {
  const u = user({ accepted: 1 });
  const late = delivery();
  const waiting = entryOf(1, { status: 'processing', attempts: 1, retryAt: at(60_000) });
  noteEntries(u, 1, [waiting], moment());
  noteMessage(u, message(1), late, 10);
  noteEntries(u, 1, [waiting], moment(5_000));
  expect(late.count).toBe(1);
  expect(step(u, 5_000).kind).toBe('wait');
});

test('the body of a request whose back-off is over is kept, also when its stored end is far away', () => {
  const u = user({ accepted: 1 });
  const entry = entryOf(1, { status: 'processing', attempts: 1, retryAt: at(60_000), backOffMs: 1_000 });
  noteEntries(u, 1, [entry], moment());
  expect(step(u, 500).kind).toBe('wait');
  noteEntries(u, 1, [entry], moment(1_001));
  expect(step(u, 1_001)).toMatchObject({ kind: 'run' });
  expect(u.held.bodyOf(1)).toBe(entry.body);
});

test('an owner has not vouched for a user that it has just loaded, whenever an earlier owner did', () => {
  expect(user({ vouchedAt: at(60_000) }).vouchedAt).toBe(Number.NEGATIVE_INFINITY);
});

test.each([
  ['is read in time', 400, 400, 1_000],
  ['is read by an owner whose clock was set back', 60_400, 1_000, 1_000],
  ['is over', -5, 0, 1_000],
  ['was recorded without its length, and its end lies days ahead', 1e9, 86_400_000, undefined],
])('a back-off that %s ends in time, and never later than its length from now', (_what, endsAt, waitsMs, backOffMs) => {
  const u = user({ accepted: 1 });
  const entry = entryOf(1, { status: 'processing', attempts: 1, retryAt: at(endsAt), backOffMs });
  noteEntries(u, 1, [entry], { ms: 7, date: at(0) });
  expect(u.held.get(1)?.retryAt).toBe(7 + waitsMs);
});
