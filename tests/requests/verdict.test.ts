import { describe, expect, test } from '@jest/globals';
import { type Sign, type VerdictCode, verdictOf } from '../../lib/requests/verdict.ts';
import type { EntryHead } from '../../lib/types.ts';

const now = new Date('2026-11-25T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const lane = 7;
const queue = { userId: 'u', lane, state: 'open' as const, updatedAt: ago(90_000) };

type Head = Pick<EntryHead, 'seq' | 'status' | 'acceptedAt' | 'startedAt' | 'retryAt' | 'deadLetter'>;
const queued: Head = { seq: 17, status: 'queued', acceptedAt: ago(9_000) };
const running: Head = { ...queued, status: 'processing', startedAt: ago(4_000) };
const backingOff: Head = { ...running, retryAt: new Date(now.getTime() + 2_000) };
const blocked: Head = { ...running, status: 'blocked', deadLetter: { reason: 'failed', at: ago(3_000) } };

const owner = (ageMs: number, more: Partial<Sign> = {}): Sign => ({
  lanes: [1, lane],
  unresponsive: [],
  at: ago(ageMs),
  ...more,
});
const other = (ageMs: number, more: Partial<Sign> = {}): Sign => owner(ageMs, { lanes: [2], ...more });
const ignored = (ageMs: number, userId = 'u') => owner(ageMs, { unresponsive: ['x', userId] });
const busy = (sinceMs: number) =>
  owner(100, { demand: { waitingSince: ago(sinceMs), blockedUsers: 0, blockedRequests: 0 } });

describe('the verdict about a user', () => {
  test.each<[string, VerdictCode, Head | undefined, Sign[]]>([
    ['nothing is pending', 'idle', undefined, []],
    ['its oldest request is blocked', 'blocked', blocked, [owner(100)]],
    ['its oldest request is blocked, with or without live workers', 'blocked', blocked, []],
    ['no worker has ever sent a heartbeat', 'no-worker', queued, []],
    ['every worker has been silent for more than three heartbeats', 'no-worker', running, [other(3_001), other(9_000)]],
    ['every worker is silent, its owner for too long to matter', 'no-worker', running, [other(3_001), owner(60_000)]],
    ['every worker is silent, its owner among them', 'worker-hung', running, [owner(3_001), other(9_000)]],
    ['its owner is silent since before the clock was set back', 'no-worker', running, [owner(-60_000)]],
    ['no live worker owns its lane', 'lane-without-owner', queued, [other(100)]],
    ['its lane had an owner too long ago to matter', 'lane-without-owner', queued, [other(100), owner(60_000)]],
    ['its owner is silent while other workers are live', 'worker-hung', running, [owner(3_001), other(100)]],
    ['its owner is silent, up to a minute', 'worker-hung', queued, [owner(59_999), other(100)]],
    ['its owner has exited', 'worker-hung', queued, [owner(100, { gone: true }), other(100)]],
    ['no worker hears from RabbitMQ', 'broker-away', queued, [other(100, { away: true }), owner(9_000)]],
    ['one of two workers hears from RabbitMQ', 'lane-without-owner', queued, [other(9, { away: true }), other(100)]],
    ['its owner stops, and owns it to the end', 'running', running, [owner(100, { away: true })]],
    ['its oldest request is running, and its owner late but not silent', 'running', running, [owner(3_000)]],
    ['its lane has a new owner besides a silent one', 'running', running, [owner(20_000), owner(100)]],
    ['its run goes on against its signal', 'unresponsive-run', running, [ignored(100)]],
    ['another run goes on against its signal', 'running', running, [ignored(100, 'y')]],
    ['its worker died with a run that went on against its signal', 'worker-hung', running, [ignored(3_001), other(1)]],
    ['its oldest request waits for its next attempt', 'between-attempts', backingOff, [owner(100)]],
    ['it waits for its next attempt, and nobody would start it', 'no-worker', backingOff, []],
    ['its oldest request was just accepted', 'next', queued, [owner(100)]],
    ['an older request waits for a slot', 'waiting-for-slot', queued, [busy(9_001)]],
    ['it is the one that waits for a slot', 'waiting-for-slot', queued, [busy(9_000)]],
    ['only newer requests wait for a slot', 'next', queued, [busy(8_999)]],
  ])('%s: %s', (_what, code, head, signs) => {
    expect(verdictOf(queue, head, { signs, now }).code).toBe(code);
  });

  test('a queue that is being closed drains', () => {
    const verdict = verdictOf({ ...queue, state: 'closing' }, undefined, { signs: [], now });
    expect(verdict).toMatchObject({ code: 'draining', sinceMs: 90_000 });
  });

  test('of a user that nobody has named before there is no time since when it is idle', () => {
    const verdict = verdictOf({ ...queue, updatedAt: new Date(0) }, undefined, { signs: [], now });
    expect(verdict).toEqual({ code: 'idle', text: 'Nothing is pending.' });
  });

  test.each([
    ['a blocked request since it was dead-lettered', blocked, 3_000],
    ['a run since its start', running, 4_000],
    ['a waiting request since it was accepted', queued, 9_000],
  ])('counts %s', (_what, head, sinceMs) => {
    expect(verdictOf(queue, head, { signs: [owner(100)], now }).sinceMs).toBe(sinceMs);
  });

  test('says which request, and until when it waits', () => {
    const about = (head: Head) => verdictOf(queue, head, { signs: [owner(100)], now });
    expect(about(blocked).text).toBe('Waits because request 17 is blocked: somebody must retry or skip it.');
    expect(about(backingOff)).toMatchObject({ seq: 17, until: backingOff.retryAt });
    expect(about(running).text).toBe('Request 17 runs.');
  });

  test.each([
    ['after one missed heartbeat', running, 2_001, true],
    ['before', running, 2_000, undefined],
    ['never about a blocked request, which no worker changes', blocked, 2_500, undefined],
  ])('says that it may be out of date %s', (_when, head, ageMs, stale) => {
    expect(verdictOf(queue, head, { signs: [owner(ageMs)], now }).stale).toBe(stale);
  });
});
