import { describe, expect, test } from '@jest/globals';
import type { FaultKind, HistoryEvent } from '../judge/history.ts';
import { findLate, recoveriesOf, recoveryTable } from './promptness.ts';

const userId = 'ada';
const accepted = (seq: number, at: number): HistoryEvent => ({ kind: 'accepted', userId, seq, at });
const started = (seq: number, at: number, worker = 'a/1', attempt = 1): HistoryEvent => ({
  kind: 'started',
  ...{ userId, seq, at, worker, attempt, fencingToken: 1 },
});
const settled = (seq: number, at: number, worker = 'a/1'): HistoryEvent => ({
  kind: 'settled',
  ...{ userId, seq, at, worker, status: 'done', fencingToken: 1 },
});
const ended = (seq: number, at: number, outcome: 'retry' | 'blocked' | 'aborted', worker = 'a/1'): HistoryEvent => ({
  kind: 'ended',
  ...{ userId, seq, at, worker, outcome, attempt: 1, fencingToken: 1 },
});
const fault = (kind: FaultKind, at: number, target?: string, until?: number): HistoryEvent => ({
  kind: 'fault',
  ...{ fault: kind, at, target, until },
});
const killed = (at: number, target?: string): HistoryEvent => fault('worker-killed', at, target);

describe('a request is late', () => {
  const late = (...events: HistoryEvent[]) => findLate(events, { limitMs: 100, retryMaxMs: 50 }).map(({ seq }) => seq);

  test('when it starts later than the limit after its acceptance', () => {
    expect(late(accepted(1, 0), started(1, 100))).toEqual([]);
    expect(late(accepted(1, 0), started(1, 101))).toEqual([1]);
  });

  test('but not while its predecessor was neither settled nor cancelled', () => {
    const before = [accepted(1, 0), started(1, 1), accepted(2, 2)];
    expect(late(...before, settled(1, 900), started(2, 1_000))).toEqual([]);
    expect(late(...before, settled(1, 900), started(2, 1_001))).toEqual([2]);
    expect(
      late(accepted(1, 0), accepted(2, 2), { kind: 'cancelled', userId, seq: 1, at: 50 }, started(2, 150)),
    ).toEqual([]);
  });

  test('although a node of the cluster is down: that holds it up when it begins and when it ends', () => {
    const down = fault('node-killed', 0, undefined, 1_000);
    expect(late(down, accepted(1, 0), started(1, 100))).toEqual([]);
    expect(late(down, accepted(1, 0), started(1, 101))).toEqual([1]);
    expect(late(down, accepted(1, 950), started(1, 1_100))).toEqual([]);
  });

  test('but not while the request before a tombstone was not settled', () => {
    const before = [accepted(1, 0), started(1, 1), accepted(3, 2)];
    expect(late(...before, settled(1, 900), started(3, 1_000))).toEqual([]);
    expect(late(...before, settled(1, 900), started(3, 1_001))).toEqual([3]);
  });

  test('but not while a fault of a server lasted', () => {
    const restarted = { kind: 'fault', fault: 'broker-restarted', at: 10, until: 500 } as const;
    expect(late(accepted(1, 0), restarted, started(1, 600))).toEqual([]);
    expect(late(accepted(1, 0), restarted, started(1, 601))).toEqual([1]);
  });

  test('in spite of a fault of a worker that neither ran it before nor runs it now', () => {
    const events = [accepted(1, 0), started(1, 1, 'a/1'), settled(1, 2), accepted(2, 3), started(2, 300, 'b/1')];
    expect(late(...events)).toEqual([2]);
    expect(late(...events, killed(250, 'a/1'))).toEqual([]);
    expect(late(...events, killed(250, 'a'))).toEqual([]);
    expect(late(...events, killed(250, 'b/1'))).toEqual([]);
    expect(late(...events, killed(250, 'a/2'))).toEqual([2]);
  });

  test('but not while a worker was killed that claimed it, and did not begin its run', () => {
    const events = [accepted(1, 0), started(1, 1, 'a/1'), killed(100, 'a/1'), killed(500, 'c/1')];
    expect(late(...events, started(1, 600, 'b/1', 3))).toEqual([]);
    expect(late(...events, started(1, 601, 'b/1', 3))).toEqual([1]);
    expect(late(...events, started(1, 600, 'b/1', 2))).toEqual([1]);
    expect(late(accepted(1, 0), killed(500, 'c/1'), started(1, 600, 'b/1', 2))).toEqual([]);
  });

  test('in spite of a fault that holds up no run', () => {
    const deleted = { kind: 'fault', fault: 'user-queue-deleted', at: 150 } as const;
    expect(late(accepted(1, 0), deleted, started(1, 200))).toEqual([1]);
  });

  test.each<[FaultKind, string | undefined]>([
    ['user-queue-refused', undefined],
    ['queues-limited', undefined],
    ['permission-withdrawn', undefined],
    ['runs-hung', undefined],
    ['worker-stopped', 'a'],
    ['worker-stopped', 'b'],
    ['worker-joined', 'b'],
  ])('in spite of %s (%s): no user waits for that', (kind, target) => {
    const before = [accepted(1, 0), started(1, 1, 'a/1'), settled(1, 2), accepted(2, 100)];
    const events = [...before, fault(kind, 150, target, 190)];
    expect(late(...events, started(2, 200, 'b/1'))).toEqual([]);
    expect(late(...events, started(2, 201, 'b/1'))).toEqual([2]);
  });

  test('when it runs again later than the limit after its worker died', () => {
    const before = [accepted(1, 0), started(1, 1), killed(1_000, 'a/1')];
    expect(late(...before, started(1, 1_100, 'b/1', 2))).toEqual([]);
    expect(late(...before, started(1, 1_101, 'b/1', 2))).toEqual([1]);
  });

  test('when it runs again later than the limit after the end of its run and its back-off', () => {
    const once = (outcome: 'retry' | 'aborted') => [accepted(1, 0), started(1, 1), ended(1, 1_000, outcome)];
    expect(late(...once('retry'), started(1, 1_150, 'a/1', 2))).toEqual([]);
    expect(late(...once('retry'), started(1, 1_151, 'a/1', 2))).toEqual([1]);
    expect(late(...once('aborted'), started(1, 1_100, 'b/1', 2))).toEqual([]);
    expect(late(...once('aborted'), started(1, 1_101, 'b/1', 2))).toEqual([1]);
  });

  test('but not before a person has decided about a blocked request', () => {
    const decided = (decision: 'retry' | 'skip'): HistoryEvent => ({
      kind: 'decided',
      ...{ userId, seq: 1, at: 1_000, decision },
    });
    const before = [accepted(1, 0), accepted(2, 0), started(1, 1), ended(1, 2, 'blocked')];
    expect(late(...before, decided('retry'), started(1, 1_100, 'a/1', 2))).toEqual([]);
    expect(late(...before, decided('retry'), started(1, 1_101, 'a/1', 2))).toEqual([1]);
    expect(late(...before, decided('skip'), started(2, 1_100))).toEqual([]);
    expect(late(...before, decided('skip'), started(2, 1_101))).toEqual([2]);
    const again = [started(1, 1_500, 'a/1', 2), { ...decided('skip'), at: 2_000 }];
    expect(late(...before, decided('retry'), decided('skip'), ...again, started(2, 2_100))).not.toContain(2);
    expect(late(...before, decided('retry'), decided('skip'), ...again, started(2, 2_101))).toContain(2);
  });
});

describe('while nothing is wrong that may hold its user up', () => {
  const late = (...events: HistoryEvent[]) =>
    findLate(events, { limitMs: 100, calmLimitMs: 10, retryMaxMs: 5 }).map(({ seq }) => seq);
  const waits = (waitedMs: number) => [accepted(1, 1_000), started(1, 1_000 + waitedMs)];

  test('a request is late after a shorter time', () => {
    expect(late(...waits(10))).toEqual([]);
    expect(late(...waits(11))).toEqual([1]);
  });

  test.each<FaultKind>(['user-queue-refused', 'runs-hung', 'worker-stopped', 'worker-joined'])(
    'and %s is nothing of that kind',
    (kind) => {
      for (const target of [undefined, 'a', 'b'])
        expect(late(...waits(11), fault(kind, 990, target, 1_005))).toEqual([1]);
    },
  );

  test('a fault of a server, of its worker or of an API is, until the recovery should be over', () => {
    for (const kind of ['broker-restarted', 'function-killed', 'function-cut-off'] as const) {
      const target = kind === 'broker-restarted' ? undefined : 'api-1';
      expect(late(...waits(99), fault(kind, 500, target, 900))).toEqual([]);
      expect(late(...waits(99), fault(kind, 500, target, 899))).toEqual([1]);
      expect(late(...waits(99), fault(kind, 1_100, target))).toEqual([1]);
    }
    expect(late(...waits(99), killed(900, 'a/1'))).toEqual([]);
    expect(late(...waits(99), killed(900, 'b/1'))).toEqual([1]);
  });

  test('a request whose own run was cut short is not calm', () => {
    const again = started(1, 2_050, 'b/1', 2);
    const cutShort = [accepted(1, 1_000), started(1, 1_000), ended(1, 2_000, 'aborted')];
    expect(late(...cutShort, again)).toEqual([]);
    expect(late(accepted(1, 1_000), started(1, 2_000), again)).toEqual([1]);
    const failed = [accepted(1, 1_000), started(1, 1_000), ended(1, 2_000, 'retry')];
    expect(late(...failed, again)).toEqual([1]);
  });
});

describe('the recovery from a fault', () => {
  const fault = { fault: 'worker killed', at: 100, until: 150, target: 'a/1' } as const;
  const waits = [accepted(1, 10), started(1, 20, 'a/1'), accepted(2, 30)];

  test('is the time until the next start of the worst user whose requests were pending on the target', () => {
    const other = waits.map((event) => ({ ...event, userId: 'ben' })) as HistoryEvent[];
    const events = [
      ...waits,
      started(1, 400, 'b/1', 2),
      ...other,
      { ...started(1, 900, 'b/1', 2), userId: 'ben' } as HistoryEvent,
    ];
    expect(recoveriesOf(events, [fault])).toEqual([
      { fault: 'worker killed', users: 2, fromStartMs: 800, fromEndMs: 750 },
    ]);
  });

  test('does not count users without pending requests, or users whom another worker ran', () => {
    expect(
      recoveriesOf([accepted(1, 10), started(1, 20), settled(1, 30), accepted(2, 200), started(2, 300)], [fault]),
    ).toEqual([]);
    expect(recoveriesOf([...waits, started(1, 400)], [{ ...fault, target: 'b' }])).toEqual([]);
    expect(recoveriesOf([...waits, started(1, 400)], [{ ...fault, target: undefined }])).toHaveLength(1);
  });

  test('does not count users whose requests were settled without another start, or who disconnected with a cancel', () => {
    const events = [accepted(1, 10), started(1, 20), settled(1, 120), accepted(2, 5_000), started(2, 5_001)];
    expect(recoveriesOf(events, [fault])).toEqual([]);
    const leaving = { kind: 'leaving', userId, session: 'one', pending: 'cancel' } as const;
    expect(recoveriesOf([...waits, { ...leaving, at: 120 }], [fault])).toEqual([]);
    expect(recoveriesOf([...waits, { ...leaving, at: 90 }], [fault])).toEqual([]);
    expect(recoveriesOf([{ ...leaving, at: 5 }, ...waits], [fault])).toHaveLength(1);
    const sentEarly = waits.map((event) => (event.kind === 'accepted' ? { ...event, sentAt: 4 } : event));
    expect(recoveriesOf([{ ...leaving, at: 5 }, ...sentEarly], [fault])).toEqual([]);
  });

  test('does not count users whose last run had ended before their worker died', () => {
    const done: HistoryEvent = {
      kind: 'ended',
      ...{ userId, seq: 1, at: 90, worker: 'a/1', attempt: 1, fencingToken: 1, outcome: 'done' },
    };
    const [asked, begun] = waits as [HistoryEvent, HistoryEvent];
    expect(recoveriesOf([asked, begun, done], [fault])).toEqual([]);
    expect(recoveriesOf([...waits, done], [fault])).toMatchObject([{ fromStartMs: Number.POSITIVE_INFINITY }]);
  });

  test('takes forever for a user without any further start', () => {
    const never = [{ users: 1, fromStartMs: Number.POSITIVE_INFINITY, fromEndMs: Number.POSITIVE_INFINITY }];
    expect(recoveriesOf(waits, [fault])).toMatchObject(never);
    expect(recoveriesOf([...waits, settled(1, 120)], [fault])).toMatchObject(never);
  });

  test('from an outage counts the users whose requests are pending at its end', () => {
    const outage = { ...fault, target: undefined };
    const during = [accepted(1, 10), started(1, 120)];
    expect(recoveriesOf([...during, settled(1, 140)], [outage])).toEqual([]);
    expect(recoveriesOf([...during, started(1, 400, 'a/1', 2)], [outage])).toMatchObject([
      { users: 1, fromStartMs: 300, fromEndMs: 250 },
    ]);
  });

  test('is printed for each kind of fault, with the median and the maximum', () => {
    const recovery = (fromStartMs: number) => ({ fault: 'worker killed', users: 1, fromStartMs, fromEndMs: 5 });
    const lines = recoveryTable(
      [recovery(10), recovery(30), recovery(20)],
      new Map([
        ['worker killed', 4],
        ['api killed', 1],
      ]),
    ).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^api killed +1 +0 +- +- +- +-$/);
    expect(lines[2]).toMatch(/^worker killed +4 +3 +20 +30 +5 +5$/);
  });
});
