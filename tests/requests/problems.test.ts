import { expect, test } from '@jest/globals';
import type { Heartbeat } from '../../lib/ports.ts';
import { findProblems, type ProblemKind } from '../../lib/requests/problems.ts';

const now = new Date('2026-11-25T12:00:00Z');
const worker = (workerId: string, ageMs: number, more: Partial<Heartbeat> = {}): Heartbeat => ({
  ...{ workerId, lanes: [0], unresponsive: [], at: new Date(now.getTime() - ageMs) },
  ...more,
});
const facts = {
  heartbeats: [worker('a', 100)],
  lanes: [{ lane: 0, owner: 'a' }],
  pending: { stuckUsers: 0, deadLetters: 0 },
  servers: { rabbitmq: { ok: true, latencyMs: 1 } },
  now,
};

test('nothing is wrong while everything works', () => {
  expect(findProblems(facts)).toEqual([]);
});

test.each<[string, ProblemKind, Partial<typeof facts>]>([
  ['RabbitMQ is away', 'rabbitmq-away', { servers: { rabbitmq: { ok: false, latencyMs: 2_000 } } }],
  ['no worker runs', 'no-worker', { heartbeats: [] }],
  ['no worker hears from RabbitMQ', 'broker-away', { heartbeats: [worker('a', 100, { away: true })] }],
  ['a lane has no owner', 'lanes-without-owner', { lanes: [{ lane: 0, owner: 'a' }, { lane: 7 } as never] }],
  ['a worker is silent', 'workers-silent', { heartbeats: [worker('a', 100), worker('b', 9_000)] }],
  ['a run ignores its signal', 'unresponsive-runs', { heartbeats: [worker('a', 100, { unresponsive: ['u'] })] }],
  [
    'a user is blocked',
    'blocked-users',
    { heartbeats: [worker('a', 100, { demand: { waitingSince: null, blockedUsers: 2, blockedRequests: 9 } })] },
  ],
  ['a user is stuck', 'stuck-users', { pending: { stuckUsers: 1, deadLetters: 0 } }],
  ['there are dead letters', 'dead-letters', { pending: { stuckUsers: 0, deadLetters: 3 } }],
])('when %s, that is the one problem', (_when, code, change) => {
  expect(findProblems({ ...facts, ...change }).map((problem) => problem.code)).toEqual([code]);
});

test('a worker that has exited, or was last heard of long ago, is no problem', () => {
  const heartbeats = [worker('a', 100), worker('b', 9_000, { gone: true }), worker('c', 61_000)];
  expect(findProblems({ ...facts, heartbeats })).toEqual([]);
});

test('a problem names at most 20 of what it is about, and counts all', () => {
  const lanes = Array.from({ length: 50 }, (_, lane) => ({ lane }) as never);
  const [problem] = findProblems({ ...facts, lanes });
  expect(problem).toMatchObject({ count: 50, text: '50 lanes have no owner: their users wait.' });
  expect(problem?.ids).toHaveLength(20);
});
