/** The record of one loaded user: what messages, ledger entries and refreshes change in it. */
import { expect, test } from '@jest/globals';
import { noteEntries, noteMessage, noteRefresh } from '../../lib/lanes/loaded-user.ts';
import { at, delivery, entryOf, message, queueOf, start, step, user } from './one-user.ts';

test('a message of a settled request is acknowledged and changes nothing', () => {
  const u = user({ accepted: 4, settled: 4 });
  const late = delivery();
  noteMessage(u, message(3), late, start);
  expect(late.count).toBe(1);
  expect(u.held.size).toBe(0);
});

test('a message stays unacknowledged while its request waits; a second message of the same request is acknowledged at once', () => {
  const u = user();
  const [first, second] = [delivery(), delivery()];
  noteMessage(u, message(1), first, start);
  noteMessage(u, message(1), second, start);
  expect([first.count, second.count]).toEqual([0, 1]);
});

test('messages held for long behind another request are acknowledged, and their requests left to the ledger', () => {
  const u = user();
  const deliveries = Array.from({ length: 40 }, delivery);
  deliveries.forEach((one, index) => {
    noteMessage(u, message(index + 1), one, at(index));
    if (index % 8 === 7) u.held.ackHeldSince(at(index), u.next);
  });
  expect(deliveries.map(({ count }) => count)).toEqual(deliveries.map(() => 1));
  expect(u.held.seqs()).toEqual([1]);
  expect(u.known).toBe(40);
});

test('the limits and interruptions in a message reach the run', () => {
  const u = user();
  noteMessage(u, { ...message(1), limits: { timeoutMs: 5 }, interruptions: 2 }, delivery(), start);
  expect(step(u)).toMatchObject({ kind: 'run', request: { limits: { timeoutMs: 5 }, interruptions: 2 } });
});

test('settled entries are skipped, and the unsettled ones behind them are held', () => {
  const u = user({ accepted: 4 });
  const entries = [entryOf(1, { status: 'done' }), entryOf(2, { status: 'cancelled' }), entryOf(3), entryOf(4)];
  noteEntries(u, 4, entries, start);
  expect(u.next).toBe(3);
  expect(step(u)).toMatchObject({ kind: 'run', request: { body: '"3"', attempts: 0 } });
});

test('many consecutive settled entries are skipped without a pause: the end of a read is not a gap', () => {
  const u = user({ accepted: 104 });
  for (let first = 1; first <= 97; first += 8) {
    expect(step(u)).toEqual({ kind: 'read' });
    const read = Array.from({ length: 8 }, (_, index) => entryOf(first + index, { status: 'cancelled' }));
    noteEntries(u, first + 7, read, start);
  }
  expect(u).toMatchObject({ next: 105, gap: undefined });
});

test('a refresh never lowers the highest known seq', () => {
  const u = user();
  noteMessage(u, message(5), delivery(), start);
  noteRefresh(u, queueOf({ accepted: 4 }), start);
  expect(u.known).toBe(5);
});

test.each([
  ['in its back-off', { status: 'processing', attempts: 1, retryAt: at(60_000) }],
  ['blocked', { status: 'blocked', attempts: 1 }],
] as const)('a refresh makes the owner read a request again that is %s, at once', (_how, changes) => {
  const u = user({ accepted: 2 });
  u.gap = { since: start, reads: 2 };
  noteEntries(u, 2, [entryOf(1, changes), entryOf(2)], start);
  noteRefresh(u, queueOf({ accepted: 2 }), at(10));
  expect(step(u, 10)).toEqual({ kind: 'read' });
  noteEntries(u, 2, [entryOf(1, { status: 'cancelled', attempts: 1 }), entryOf(2)], at(20));
  expect(step(u, 20)).toMatchObject({ kind: 'run', request: { body: '"2"' } });
});

test('a refresh leaves a request alone whose back-off is over: it may wait for a slot, or be claimed already', () => {
  const u = user({ accepted: 1 });
  noteEntries(u, 1, [entryOf(1, { status: 'processing', attempts: 1, retryAt: at(10) })], start);
  noteRefresh(u, queueOf({ accepted: 1 }), at(10));
  expect(step(u, 10)).toMatchObject({ kind: 'run', request: { attempts: 1 } });
});

test('a message of a request that waits for long is acknowledged at the next read: the ledger has it', () => {
  const u = user({ accepted: 1 });
  const late = delivery();
  const waiting = entryOf(1, { status: 'processing', attempts: 1, retryAt: at(60_000) });
  noteEntries(u, 1, [waiting], start);
  noteMessage(u, message(1), late, at(10));
  noteEntries(u, 1, [waiting], at(5_000));
  expect(late.count).toBe(1);
  expect(step(u, 5_000).kind).toBe('wait');
});

test('vouchedAt comes from the user queue, not from the load', () => {
  expect(user({ vouchedAt: at(-9_000) }).vouchedAt).toEqual(at(-9_000));
  expect(user().vouchedAt).toEqual(new Date(0));
});
