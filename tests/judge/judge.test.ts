import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JudgeOptions } from './excuses.ts';
import { type GoodHistory, goodHistory } from './good-history.ts';
import type { Ended, Fault, FinalEntry, FinalState, HistoryEvent, Settled, Started } from './history.ts';
import { judgeHistory, type ViolationKind } from './judge.ts';

/** Does one thing that breaks a promise. Returns false where this history offers no place for it. */
type Mutation = (history: GoodHistory, pick: <T>(from: T[]) => T) => boolean;

const started = ({ events }: GoodHistory): Started[] => events.filter((event) => event.kind === 'started');
const settled = ({ events }: GoodHistory): Settled[] => events.filter((event) => event.kind === 'settled');
const endOf = ({ events }: GoodHistory, run: Started): Ended | undefined =>
  events.find((event): event is Ended => event.kind === 'ended' && sameRun(event, run));
const sameRun = (a: Started | Ended, b: Started | Ended): boolean =>
  a.userId === b.userId && a.seq === b.seq && a.attempt === b.attempt;
const remove = (history: GoodHistory, gone: (event: HistoryEvent) => boolean): void => {
  history.events = history.events.filter((event) => !gone(event));
};

/** Pairs of runs of one user, the first before the second. */
const consecutive = (history: GoodHistory): [Started, Started][] =>
  started(history).flatMap((run, index, runs) => {
    const next = runs[index + 1];
    return next?.userId === run.userId ? [[run, next] as [Started, Started]] : [];
  });

const acceptedEntries = ({ events, final }: GoodHistory): FinalEntry[] =>
  final.ledger.filter(({ userId, seq }) =>
    events.some((event) => event.kind === 'accepted' && event.userId === userId && event.seq === seq),
  );

const onOneOf =
  <T>(places: (history: GoodHistory) => T[], change: (place: T, history: GoodHistory) => void): Mutation =>
  (history, pick) => {
    const found = places(history);
    if (found.length > 0) change(pick(found), history);
    return found.length > 0;
  };

const statusTo = (status: FinalEntry['status']): Mutation =>
  onOneOf(acceptedEntries, (entry) => {
    entry.status = status;
  });

const laterSeq = (history: GoodHistory): [Started, Started][] =>
  consecutive(history).filter(([first, second]) => second.seq > first.seq);

const afterDeath = (history: GoodHistory): [Started, Started][] =>
  consecutive(history).filter(
    ([first, second]) => second.seq === first.seq && second.fencingToken > first.fencingToken,
  );

const mutations: [string, ViolationKind, Mutation][] = [
  ['an accepted request that still waits', 'loss', statusTo('queued')],
  ['an accepted request that was begun and forgotten', 'loss', statusTo('processing')],
  ['an accepted request under a tombstone', 'loss', statusTo('abandoned')],
  [
    'an accepted request that nobody cancelled',
    'loss',
    onOneOf(acceptedEntries, (entry, history) => {
      entry.status = 'cancelled';
      remove(history, (event) => event.kind === 'cancelled' && event.userId === entry.userId);
    }),
  ],
  [
    'an accepted request that is nowhere',
    'loss',
    onOneOf(acceptedEntries, (entry, { final }) => {
      final.ledger.splice(final.ledger.indexOf(entry), 1);
    }),
  ],
  [
    'a recorded request that nobody saw accepted and nobody settled',
    'unsettled',
    onOneOf(
      (history) => history.final.ledger.filter((entry) => !acceptedEntries(history).includes(entry)),
      (entry) => {
        entry.status = 'queued';
      },
    ),
  ],
  [
    'two requests that ran in the wrong order',
    'inversion',
    onOneOf(laterSeq, ([first, second], { events }) => {
      const eventsOf = (run: Started) =>
        events.filter((event) => 'attempt' in event && sameRun(event, run)) as Started[];
      const [ofFirst, ofSecond, lower, higher] = [eventsOf(first), eventsOf(second), first.seq, second.seq];
      for (const event of ofFirst) event.seq = higher;
      for (const event of ofSecond) event.seq = lower;
    }),
  ],
  [
    'a request that overtook one that waits for its next attempt',
    'inversion',
    onOneOf(laterSeq, ([first], history) => {
      const end = endOf(history, first);
      if (end) end.outcome = 'retry';
    }),
  ],
  [
    'a run that did not wait for the settlement before it',
    'inversion',
    (history, pick) => {
      const places = laterSeq(history).filter(([first, second]) => first.worker === second.worker);
      if (places.length === 0) return false;
      const [first, second] = pick(places);
      const event = settled(history).find(({ userId, seq }) => userId === first.userId && seq === first.seq);
      if (event) event.at = second.at + 0.5;
      return true;
    },
  ],
  [
    'two runs of a user at a time',
    'overlap',
    onOneOf(laterSeq, ([first, second], history) => {
      const end = endOf(history, first);
      if (end) end.at = second.at + 0.5;
    }),
  ],
  [
    'a run that went on after its lane was taken, without a fault',
    'overlap',
    onOneOf(afterDeath, ([first, second], history) => {
      remove(history, (event) => event.kind === 'fault');
      const end = endOf(history, first);
      if (end) end.at = second.at + 0.5;
      else history.events.push({ ...first, kind: 'ended', outcome: 'aborted', at: second.at + 0.5 });
    }),
  ],
  [
    'a request that was settled twice',
    'second-outcome',
    onOneOf(settled, (event, { events }) => {
      events.push({ ...event, at: event.at + 0.5 });
    }),
  ],
  [
    'an outcome that changed',
    'second-outcome',
    onOneOf(settled, (event) => {
      event.status = event.status === 'done' ? 'failed' : 'done';
    }),
  ],
  [
    'a request that has two entries',
    'second-outcome',
    onOneOf(acceptedEntries, (entry, { final }) => {
      final.ledger.push({ ...entry });
    }),
  ],
  [
    'a run after its request was settled',
    'second-outcome',
    onOneOf(settled, (event, { events }) => {
      const first = { ...event, attempt: 9, fencingToken: event.fencingToken };
      events.push({ ...first, kind: 'started', at: event.at + 0.1 });
      events.push({ ...first, kind: 'ended', outcome: 'done', at: event.at + 0.2 });
    }),
  ],
  [
    'an outcome that a stale worker recorded',
    'second-outcome',
    onOneOf(settled, (event) => {
      event.fencingToken -= 1;
    }),
  ],
  [
    'a request that ran though it was cancelled',
    'second-outcome',
    onOneOf(
      (history) => history.events.filter((event) => event.kind === 'cancelled'),
      ({ userId, seq, at }, { events }) => {
        const run = { userId, seq, attempt: 1, fencingToken: 1, worker: `${userId}-worker/1` };
        events.push(
          { ...run, kind: 'started', at: at + 0.1 },
          { ...run, kind: 'ended', outcome: 'done', at: at + 0.2 },
        );
      },
    ),
  ],
  [
    'a cancelled request that is done',
    'second-outcome',
    onOneOf(
      ({ final }) => final.ledger.filter((entry) => entry.status === 'cancelled'),
      (entry) => {
        entry.status = 'done';
      },
    ),
  ],
  [
    'a request that is done though its last run failed',
    'wrong-outcome',
    onOneOf(
      ({ events }) => events.filter((event): event is Ended => event.kind === 'ended' && event.outcome === 'done'),
      (end) => {
        end.outcome = 'failed';
      },
    ),
  ],
  [
    'a settlement that none of its runs had earned',
    'wrong-outcome',
    onOneOf(settled, (event) => {
      event.worker = 'another';
    }),
  ],
  [
    'a result that no run returned',
    'wrong-outcome',
    onOneOf(
      ({ final }) => final.ledger.filter(({ status }) => status === 'done'),
      (entry) => {
        entry.result = '"another"';
      },
    ),
  ],
  [
    'an outcome with fewer attempts than there were runs',
    'wrong-outcome',
    onOneOf(
      ({ final }) => final.ledger.filter(({ attempts }) => attempts > 1),
      (entry) => {
        entry.attempts = 1;
      },
    ),
  ],
  [
    'an outcome of nothing',
    'outcome-without-run',
    onOneOf(started, ({ userId, seq }, history) => {
      remove(history, (event) => 'attempt' in event && event.userId === userId && event.seq === seq);
    }),
  ],
  [
    'a run repeated for no reason',
    'repeat',
    onOneOf(started, (run, history) => {
      remove(history, (event) => event.kind === 'fault');
      const last = history.events.findLast(
        (event): event is Ended => event.kind === 'ended' && event.userId === run.userId && event.seq === run.seq,
      )!;
      const again = { ...last, attempt: last.attempt + 1 };
      history.events.push({ ...again, kind: 'started', at: last.at + 0.1 }, { ...again, at: last.at + 0.2 });
    }),
  ],
  [
    'an attempt that ran twice',
    'repeat',
    onOneOf(
      (history) => started(history).filter((run) => endOf(history, run)),
      (run, history) => {
        const end = endOf(history, run)!;
        const again = { ...run, worker: 'another', fencingToken: run.fencingToken + 1 };
        history.events.push({ ...again, at: end.at + 0.1 });
        history.events.push({ ...again, kind: 'ended', outcome: 'done', at: end.at + 0.2 });
      },
    ),
  ],
  [
    'a repeat whose fault came only afterwards',
    'repeat',
    onOneOf(afterDeath, ([, second], { events }) => {
      for (const event of events) if (event.kind === 'fault') event.at = event.until = second.at + 0.5;
    }),
  ],
  [
    'a repeat after a fault of another worker',
    'repeat',
    onOneOf(afterDeath, (_, { events }) => {
      for (const event of events) if (event.kind === 'fault') event.target = 'somebody else';
    }),
  ],
  [
    'a fencing token that goes down',
    'token-down',
    onOneOf(consecutive, ([first], { events }) => {
      for (const event of events) if ('attempt' in event && sameRun(event, first)) event.fencingToken += 100;
    }),
  ],
  [
    'a run that never ended',
    'unpaired',
    onOneOf(started, (run, history) => {
      remove(history, (event) => event.kind === 'fault' || (event.kind === 'ended' && sameRun(event, run)));
    }),
  ],
  [
    'an end without a start',
    'unpaired',
    onOneOf(
      (history) => started(history).filter((run) => endOf(history, run)),
      (run, history) => {
        remove(history, (event) => event === run);
      },
    ),
  ],
  [
    'a seq that was skipped',
    'gap',
    onOneOf(
      ({ final }) => final.ledger.filter((entry) => entry.status === 'abandoned'),
      (entry, { final }) => {
        final.ledger.splice(final.ledger.indexOf(entry), 1);
      },
    ),
  ],
  [
    'a failed request that nobody can find',
    'dead-letter',
    onOneOf(
      ({ final }) => final.ledger.filter(({ deadLetter }) => deadLetter),
      (entry) => {
        delete entry.deadLetter;
      },
    ),
  ],
  [
    'a failed request that runs again twice',
    'dead-letter',
    onOneOf(
      ({ final }) => final.ledger.filter(({ deadLetter }) => deadLetter),
      (entry, { final }) => {
        for (const seq of [8, 9]) final.ledger.push({ ...entry, seq, retryOf: entry.seq });
      },
    ),
  ],
  [
    'one key for two requests',
    'same-key',
    onOneOf(
      ({ final }) => final.userQueues.filter(({ accepted }) => accepted > 1),
      ({ userId }, { final }) => {
        for (const entry of final.ledger) {
          if (entry.userId !== userId) continue;
          entry.key = 'the same';
          if (entry.status === 'abandoned') entry.status = 'cancelled';
        }
      },
    ),
  ],
  [
    'a queue that is left over',
    'leftover-queue',
    (history) => {
      history.final.leftOverQueues.push('user.user-0');
      return true;
    },
  ],
  [
    'a user that was not closed',
    'not-closed',
    onOneOf(
      ({ final }) => final.userQueues,
      (userQueue) => {
        userQueue.state = 'closing';
      },
    ),
  ],
  [
    'a user closed before all was settled',
    'not-closed',
    onOneOf(
      ({ final }) => final.userQueues,
      (userQueue) => {
        userQueue.settled -= 1;
      },
    ),
  ],
];

const kinds = ({ events, final }: GoodHistory, options?: JudgeOptions): ViolationKind[] =>
  judgeHistory(events, final, options).violations.map(({ kind }) => kind);

const pickBy =
  (place: number) =>
  <T>(from: T[]): T =>
    from[place % from.length]!;

describe('The judge', () => {
  test('passes every history that keeps the promises, in whatever order its lines come', () => {
    fc.assert(
      fc.property(goodHistory, fc.infiniteStream(fc.nat()), ({ events, final }, keys) => {
        const shuffled = events
          .map((event) => ({ event, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        expect(judgeHistory(shuffled, final).violations).toEqual([]);
      }),
    );
  });

  test.each(mutations)('catches %s (%s)', (_, kind, mutate) => {
    let changed = 0;
    fc.assert(
      fc.property(goodHistory, fc.nat(), (good, place) => {
        const history = structuredClone(good);
        fc.pre(mutate(history, pickBy(place)));
        changed += 1;
        expect(kinds(history)).toContain(kind);
      }),
      { numRuns: 50 },
    );
    expect(changed).toBe(50);
  });

  test('counts what happened', () => {
    const run = { userId: 'ada', seq: 1, fencingToken: 1, worker: 'one' };
    const { ok, counts } = judgeHistory(
      [
        { kind: 'accepted', userId: 'ada', seq: 1, at: 1 },
        { kind: 'refused', userId: 'ada', at: 2 },
        { kind: 'started', ...run, attempt: 1, at: 3 },
        { kind: 'ended', ...run, attempt: 1, outcome: 'retry', at: 4 },
        { kind: 'started', ...run, attempt: 2, at: 5 },
        { kind: 'ended', ...run, attempt: 2, outcome: 'done', at: 6 },
        { kind: 'fault', fault: 'worker-joined', at: 7 },
      ],
      {
        ledger: [
          { userId: 'ada', seq: 1, status: 'done', attempts: 2 },
          { userId: 'ada', seq: 2, status: 'abandoned', attempts: 0 },
        ],
        userQueues: [{ userId: 'ada', state: 'closed', accepted: 2, settled: 2 }],
        leftOverQueues: [],
      },
    );
    expect(ok).toBe(true);
    expect(counts).toEqual({
      users: 1,
      accepted: 1,
      refused: 1,
      runs: 2,
      repeats: 1,
      staleRuns: 0,
      faults: 1,
      done: 1,
      failed: 0,
      cancelled: 0,
      abandoned: 1,
    });
  });
});

describe('A worker that is cut off but alive', () => {
  const stale = { userId: 'ada', seq: 1, attempt: 1, fencingToken: 1, worker: 'old' };
  const fresh = { userId: 'ada', seq: 1, attempt: 2, fencingToken: 2, worker: 'new' };
  const later = { userId: 'ada', seq: 2, attempt: 1, fencingToken: 2, worker: 'new' };
  const final: FinalState = {
    ledger: [
      { userId: 'ada', seq: 1, status: 'done', attempts: 2 },
      { userId: 'ada', seq: 2, status: 'done', attempts: 1 },
    ],
    userQueues: [{ userId: 'ada', state: 'closed', accepted: 2, settled: 2 }],
    leftOverQueues: [],
  };
  const cut: HistoryEvent = { kind: 'fault', fault: 'connection-cut', target: 'old', at: 3 };

  /** `old` runs 1 from `began` to `ended`, in vain; `new` runs 1 from 4 to 6 and 2 from 10 to 11. */
  const history = (
    faults: HistoryEvent[],
    { began = 2, ended = 5, outcome = 'aborted' as Ended['outcome'] } = {},
  ): HistoryEvent[] => [
    { kind: 'accepted', userId: 'ada', seq: 1, at: 1 },
    { kind: 'started', ...stale, at: began },
    ...faults,
    { kind: 'started', ...fresh, at: 4 },
    { kind: 'ended', ...stale, outcome, at: ended },
    { kind: 'ended', ...fresh, outcome: 'done', at: 6 },
    { kind: 'settled', ...fresh, status: 'done', at: 7 },
    { kind: 'started', ...later, at: 10 },
    { kind: 'ended', ...later, outcome: 'done', at: 11 },
    { kind: 'settled', ...later, status: 'done', at: 12 },
  ];
  const allowed = { allowCutOff: true };
  const judged = (events: HistoryEvent[], options: JudgeOptions = allowed) => judgeHistory(events, final, options);

  test('may still be inside a run when the lane is taken, where that is allowed', () => {
    expect(judged(history([cut]))).toMatchObject({ violations: [], counts: { staleRuns: 1 } });
    expect(kinds({ events: history([cut]), final })).toEqual(['overlap']);
  });

  test('may begin late a run that it had claimed, and be in it while the next request runs', () => {
    for (const times of [{ began: 8, ended: 9, outcome: 'retry' as const }, { began: 8, ended: 10.5 }, { ended: 13 }]) {
      expect(judged(history([cut], times))).toMatchObject({ violations: [], counts: { staleRuns: 1 } });
    }
  });

  test('may have taken the lease after the worker that owns the lane', () => {
    expect(judged(history([{ ...cut, target: 'new' }]))).toMatchObject({ violations: [], counts: { staleRuns: 1 } });
  });

  test('may not without a fault, after one of another worker, long after one, or before one', () => {
    const seen = (fault: HistoryEvent, options: JudgeOptions = allowed) =>
      kinds({ events: history([fault]), final }, options);
    expect(seen({ ...cut, fault: 'worker-joined' })).toContain('overlap');
    expect(seen({ ...cut, fault: 'worker-killed' })).toContain('overlap');
    expect(seen({ ...cut, target: 'another' })).toContain('overlap');
    expect(seen({ ...cut, at: 1 }, { ...allowed, excuseMs: 2 })).toContain('overlap');
    expect(seen({ ...cut, at: 4.5 })).toContain('overlap');
  });

  test('may not record its outcome', () => {
    const events: HistoryEvent[] = [...history([cut]), { kind: 'settled', ...stale, status: 'done', at: 5.5 }];
    expect(kinds({ events, final }, allowed)).toContain('second-outcome');
  });

  test('may not, under the higher token, let the lower one record an outcome', () => {
    const events = history([cut]).map((event) =>
      'worker' in event && event.worker === 'old' ? { ...event, fencingToken: 3 } : event,
    );
    expect(kinds({ events, final }, allowed)).toContain('second-outcome');
  });

  test('may not run beside itself before it has waited for its grace', () => {
    const itself = { ...fresh, worker: 'old' };
    const events = (at: number): HistoryEvent[] => [
      ...history([cut]).filter((event) => !('attempt' in event)),
      { kind: 'started', ...stale, at: 2 },
      { kind: 'started', ...itself, at },
      { kind: 'ended', ...stale, outcome: 'aborted', at: at + 1 },
      { kind: 'ended', ...itself, outcome: 'done', at: at + 2 },
    ];
    const seen = (at: number) =>
      kinds({ events: events(at), final }, { ...allowed, graceMs: 3 }).filter((kind) => kind === 'overlap');
    expect(seen(4.9)).toEqual(['overlap']);
    expect(seen(5)).toEqual([]);
  });

  test('may not run beside another under the same token', () => {
    const events = history([cut]).map((event) => ('fencingToken' in event ? { ...event, fencingToken: 2 } : event));
    expect(kinds({ events, final }, allowed)).toEqual(['overlap', 'repeat']);
  });
});

describe('A fault', () => {
  const first = { userId: 'ada', seq: 1, attempt: 1, fencingToken: 1, worker: 'container/one' };
  const second = { userId: 'ada', seq: 1, attempt: 2, fencingToken: 2, worker: 'container/two' };
  const final: FinalState = {
    ledger: [{ userId: 'ada', seq: 1, status: 'done', attempts: 2 }],
    userQueues: [{ userId: 'ada', state: 'closed', accepted: 1, settled: 1 }],
    leftOverQueues: [],
  };
  const killed: Fault = { kind: 'fault', fault: 'worker-killed', target: first.worker, at: 11 };

  /** The first run starts at 10 and never ends; the second one runs from 20. */
  const judged = (fault: Fault, excuseMs = 10): ViolationKind[] =>
    kinds(
      {
        events: [
          fault,
          { kind: 'started', ...first, at: 10 },
          { kind: 'started', ...second, at: 20 },
          { kind: 'ended', ...second, outcome: 'done', at: 21 },
        ],
        final,
      },
      { excuseMs },
    );

  test('that kills a worker, or the primary above it, ends its run and excuses the repeat', () => {
    expect(judged(killed)).toEqual([]);
    expect(judged({ ...killed, target: 'container' })).toEqual([]);
    expect(judged({ ...killed, target: undefined })).toEqual([]);
  });

  test('excuses nothing of another worker', () => {
    for (const target of ['container/two', 'contain', 'another']) {
      expect(judged({ ...killed, target })).toEqual(['overlap', 'repeat', 'unpaired']);
    }
  });

  test('that kills nobody ends no run', () => {
    expect(judged({ ...killed, fault: 'store-restarted' })).toEqual(['overlap', 'unpaired']);
  });

  test('that comes after the next start does not undo that two ran at a time', () => {
    expect(judged({ ...killed, at: 20.5 })).toEqual(['overlap', 'repeat']);
  });

  test('excuses for a while after its end', () => {
    expect(judged({ ...killed, at: 1 }, 9)).toEqual([]);
    expect(judged({ ...killed, at: 1 }, 8)).toEqual(['overlap', 'repeat', 'unpaired']);
    expect(judged({ ...killed, at: 1, until: 5 }, 5)).toEqual([]);
  });
});

describe('A request that is cancelled', () => {
  const userId = 'ada';
  const final: FinalState = {
    ledger: [{ userId, seq: 1, status: 'cancelled', attempts: 0 }],
    userQueues: [{ userId, state: 'closed', accepted: 1, settled: 1 }],
    leftOverQueues: [],
  };
  const accepted: HistoryEvent = { kind: 'accepted', userId, seq: 1, sentAt: 10, at: 20, session: 'one' };
  const leaving = (session: string, at: number, pending: 'drain' | 'cancel' = 'cancel'): HistoryEvent => ({
    kind: 'leaving',
    ...{ userId, session, at, pending },
  });
  const left = (session: string, at: number): HistoryEvent => ({ kind: 'left', userId, session, at });
  const judged = (...events: HistoryEvent[]): ViolationKind[] => kinds({ events: [accepted, ...events], final });

  test('is lost when nobody asked for it', () => {
    expect(judged()).toEqual(['loss']);
    expect(judged(leaving('one', 30, 'drain'))).toEqual(['loss']);
    expect(judged({ kind: 'cancel-asked', userId, seq: 2, at: 30 })).toEqual(['loss']);
  });

  test('is kept when somebody asked for it, whatever was answered', () => {
    expect(judged({ kind: 'cancel-asked', userId, seq: 1, at: 30 })).toEqual([]);
    expect(judged({ kind: 'cancelled', userId, seq: 1, at: 30 })).toEqual([]);
  });

  test('is kept when its session ended so, though it was sent just before that was answered', () => {
    expect(judged(leaving('one', 5), left('one', 10))).toEqual([]);
    expect(judged(leaving('one', 5))).toEqual([]);
  });

  test('is lost when it was sent after a disconnect had been answered', () => {
    expect(judged(leaving('one', 5), left('one', 9))).toEqual(['loss']);
    expect(judged({ ...accepted, session: undefined }, leaving('zero', 5), left('zero', 9))).toEqual(['loss']);
  });

  test('is lost when another session ended so, and its own one did not end before', () => {
    expect(judged(leaving('zero', 15), left('zero', 30))).toEqual(['loss']);
    expect(judged(leaving('zero', 15), left('zero', 30), leaving('one', 31, 'drain'))).toEqual(['loss']);
    expect(judged(leaving('zero', 15), left('zero', 30), leaving('one', 29, 'drain'))).toEqual([]);
  });
});

describe('A stale run', () => {
  const cutOff: Fault = { kind: 'fault', fault: 'connection-cut', target: 'old', at: 1 };
  const run = (seq: number, fencingToken: number, worker: string, at: number, attempt = 1): HistoryEvent[] => {
    const about = { userId: 'ada', seq, attempt, fencingToken, worker };
    return [
      { kind: 'started', ...about, at },
      { kind: 'ended', ...about, outcome: 'done', at: at + 1 },
    ];
  };
  const judged = (...events: HistoryEvent[]): ViolationKind[] =>
    kinds(
      {
        events: [cutOff, ...events],
        final: {
          ledger: [
            { userId: 'ada', seq: 1, status: 'done', attempts: 2 },
            { userId: 'ada', seq: 2, status: 'done', attempts: 2 },
          ],
          userQueues: [{ userId: 'ada', state: 'closed', accepted: 2, settled: 2 }],
          leftOverQueues: [],
        },
      },
      { allowCutOff: true },
    );

  test('may start late what it had claimed, and never what follows the run of a later owner', () => {
    const late = run(1, 1, 'old', 4);
    expect(judged(...run(1, 2, 'new', 2, 2), ...late, ...run(2, 2, 'new', 6, 2))).not.toContain('token-down');
    const behind = run(2, 1, 'old', 4);
    expect(judged(...run(1, 2, 'new', 2, 2), ...behind, ...run(2, 2, 'new', 6, 2))).toContain('token-down');
  });
});

describe('A request that is blocked', () => {
  const userId = 'ada';
  const run = (seq: number, attempt = 1) => ({ userId, seq, attempt, fencingToken: 1, worker: 'one' });
  const blocked: HistoryEvent[] = [
    { kind: 'started', ...run(1), at: 1 },
    { kind: 'ended', ...run(1), outcome: 'blocked', at: 2 },
  ];
  const next: HistoryEvent[] = [
    { kind: 'started', ...run(2), at: 10 },
    { kind: 'ended', ...run(2), outcome: 'done', at: 11 },
  ];
  const again = (attempt: number, outcome: Ended['outcome']): HistoryEvent[] => [
    { kind: 'started', ...run(1, attempt), at: 2 * attempt + 1 },
    { kind: 'ended', ...run(1, attempt), outcome, at: 2 * attempt + 1.5 },
  ];
  const decided = (decision: 'retry' | 'skip', at: number): HistoryEvent => ({
    kind: 'decided',
    ...{ userId, seq: 1, decision, at },
  });
  const judged = (first: Omit<FinalEntry, 'userId' | 'seq'>, ...events: HistoryEvent[]): ViolationKind[] =>
    kinds({
      events: [...blocked, ...events, ...next],
      final: {
        ledger: [
          { userId, seq: 1, ...first },
          { userId, seq: 2, status: 'done', attempts: 1 },
        ],
        userQueues: [{ userId, state: 'closed', accepted: 2, settled: 2 }],
        leftOverQueues: [],
      },
    });
  const skipped = { status: 'failed', attempts: 1, deadLetter: { reason: 'failed' } } as const;
  const cancelled = { status: 'cancelled', attempts: 1 } as const;

  test('is passed over when a person skips it, and not before', () => {
    expect(judged(skipped, decided('skip', 9))).toEqual([]);
    expect(judged(skipped, decided('skip', 10.5))).toEqual(['inversion']);
    expect(judged(skipped, decided('retry', 9))).toEqual(['inversion', 'wrong-outcome']);
    expect(judged(skipped)).toEqual(['inversion', 'wrong-outcome']);
  });

  test('is passed over when its user leaves and cancels, and not before', () => {
    const leaving = { kind: 'leaving', userId, session: 'one', pending: 'cancel' } as const;
    expect(judged(cancelled, { ...leaving, at: 9 })).toEqual([]);
    expect(judged(cancelled, { ...leaving, at: 10.5 })).toEqual(['inversion']);
    expect(judged(cancelled, { ...leaving, pending: 'drain', at: 9 })).toEqual(['inversion']);
  });

  test('runs again as often as a person says so', () => {
    const done = { status: 'done', attempts: 3 } as const;
    const runs = [...again(2, 'blocked'), ...again(3, 'done')];
    expect(judged(done, ...runs, decided('retry', 3), decided('retry', 6))).toEqual([]);
    expect(judged(done, ...runs, decided('retry', 3))).toContain('repeat');
    expect(judged(done, ...runs, decided('retry', 3), decided('skip', 6))).toContain('repeat');
    expect(judged(done, ...runs, decided('retry', 3), decided('retry', 7.5))).toContain('repeat');
  });

  test('needs nobody to run again when its worker was killed before it could block', () => {
    const killed: HistoryEvent = { kind: 'fault', fault: 'worker-killed', target: 'one', at: 3 };
    const elsewhere = [...again(2, 'blocked'), ...again(3, 'done')].map((event) => ({
      ...event,
      worker: 'two',
      fencingToken: 2,
    }));
    const done = { status: 'done', attempts: 3 } as const;
    expect(judged(done, killed, ...elsewhere, decided('retry', 6))).not.toContain('repeat');
    expect(judged(done, killed, ...elsewhere)).toContain('repeat');
    expect(judged(done, ...elsewhere, decided('retry', 6))).toContain('repeat');
  });
});

describe('A request that ends its process', () => {
  const userId = 'ada';
  const judged = (entry: Omit<FinalEntry, 'userId' | 'seq'>, ...outcomes: Ended['outcome'][]): ViolationKind[] =>
    judgedAs(
      entry,
      outcomes.map((_, before) => before + 1),
      ...outcomes,
    );
  const judgedAs = (
    entry: Omit<FinalEntry, 'userId' | 'seq'>,
    attempts: number[],
    ...outcomes: Ended['outcome'][]
  ): ViolationKind[] =>
    kinds({
      events: outcomes.flatMap((outcome, before): HistoryEvent[] => {
        const run = { userId, seq: 1, attempt: attempts[before]!, fencingToken: 1, worker: 'one' };
        return [
          { kind: 'started', ...run, at: 2 * before },
          { kind: 'ended', ...run, outcome, at: 2 * before + 1 },
        ];
      }),
      final: {
        ledger: [{ userId, seq: 1, ...entry }],
        userQueues: [{ userId, state: 'closed', accepted: 1, settled: 1 }],
        leftOverQueues: [],
      },
    });

  test('may run again, or be put aside for it, or be retried as another one', () => {
    expect(judged({ status: 'done', attempts: 2 }, 'crashed', 'done')).toEqual([]);
    const deadLetter = { reason: 'crashed' } as const;
    expect(judged({ status: 'failed', attempts: 2, deadLetter }, 'crashed', 'crashed')).toEqual([]);
  });

  test('may begin the same attempt anew, where an earlier one may have ended the process, and no other may', () => {
    const done = { status: 'done', attempts: 1 } as const;
    expect(judgedAs(done, [1, 1], 'crashed', 'done')).toEqual([]);
    expect(judgedAs(done, [1, 1], 'done', 'done')).toEqual(['repeat']);
  });

  test('is not done for it, nor lost from sight', () => {
    expect(judged({ status: 'done', attempts: 1 }, 'crashed')).toEqual(['wrong-outcome']);
    expect(judged({ status: 'failed', attempts: 1 }, 'crashed')).toEqual(['dead-letter']);
  });
});

describe('A repeat', () => {
  const one = { userId: 'ada', seq: 1, attempt: 1, fencingToken: 1, worker: 'one' };
  const final = (attempts: number): FinalState => ({
    ledger: [{ userId: 'ada', seq: 1, status: 'done', attempts }],
    userQueues: [{ userId: 'ada', state: 'closed', accepted: 1, settled: 1 }],
    leftOverQueues: [],
  });
  const cut = (target?: string): Fault => ({ kind: 'fault', fault: 'connection-cut', target, at: 1 });

  /** Attempt 1 on `one` ends as told; attempt 2 follows it. */
  const judged = (fault: Fault, outcome: Ended['outcome'], second: Partial<Started>): ViolationKind[] => {
    const again = { ...one, attempt: 2, ...second };
    const events: HistoryEvent[] = [
      fault,
      { kind: 'started', ...one, at: 2 },
      { kind: 'ended', ...one, outcome, at: 3 },
      { kind: 'started', ...again, at: 4 },
      { kind: 'ended', ...again, outcome: 'done', at: 5 },
    ];
    return kinds({ events, final: final(2) }, { allowCutOff: true });
  };

  test('of a run on the same worker under the same token is never excused: whoever ran it, settles it', () => {
    for (const outcome of ['done', 'failed', 'aborted'] as const) {
      expect(judged(cut('one'), outcome, {})).toEqual(['repeat']);
      expect(judged({ ...cut(), fault: 'store-restarted' }, outcome, {})).toEqual(['repeat']);
    }
  });

  test('twenty times on a healthy worker is not excused by one cut of another', () => {
    const runs = Array.from({ length: 20 }, (_, index) => ({ ...one, attempt: index + 1 }));
    const events = runs.flatMap((run): HistoryEvent[] => [
      { kind: 'started', ...run, at: 2 * run.attempt },
      { kind: 'ended', ...run, outcome: 'done', at: 2 * run.attempt + 1 },
    ]);
    expect(kinds({ events: [cut('another'), ...events], final: final(20) }, { allowCutOff: true })).toContain('repeat');
  });

  test('under a new token is excused by a cut of the worker before it or after it, but of no other', () => {
    const taken = { worker: 'two', fencingToken: 2 };
    expect(judged(cut('one'), 'done', taken)).toEqual([]);
    expect(judged(cut('two'), 'done', taken)).toEqual([]);
    expect(judged(cut('one'), 'done', { fencingToken: 2 })).toEqual([]);
    expect(judged(cut('another'), 'done', taken)).toEqual(['repeat']);
  });

  test('of a run that was given up, or whose outcome was refused, is excused by a cut of a third, which took a lease in between and ran nothing', () => {
    expect(judged(cut('another'), 'aborted', { worker: 'two', fencingToken: 2 })).toEqual([]);
    expect(judged(cut('another'), 'done', { worker: 'two', fencingToken: 3 })).toEqual([]);
    expect(judged(cut('another'), 'done', { worker: 'two', fencingToken: 2 })).toEqual(['repeat']);
    expect(judged(cut('another'), 'aborted', {})).toEqual(['repeat']);
    expect(judged({ ...cut('another'), fault: 'worker-killed' }, 'aborted', { fencingToken: 2 })).toEqual(['repeat']);
  });
});
